"""What the engines share to read cgroups and documents: a folder, so that discovery takes none of it for an engine."""
