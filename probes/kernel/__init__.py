"""Kernel probes: one pair of files per kernel fact, `<fact>.py` and `<fact>.bpf.c`."""
