"""What the stores share to read paths and hostile documents: a folder, so that discovery takes none for a store."""
