"""What the formats share to read a hostile file: a folder, so that discovery takes none of it for a format."""
