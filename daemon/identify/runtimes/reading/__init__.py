"""What the runtimes share to read a command line: a folder, so that discovery takes none of it for a runtime."""
