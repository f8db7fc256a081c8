"""The SHA-256 of files, taken in the background."""
