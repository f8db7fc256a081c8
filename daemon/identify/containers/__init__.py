"""Which container a process lives in: one file for each engine."""
