"""Pure parsers that say what a file is; they run inside the unprivileged inspector only."""
