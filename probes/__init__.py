"""Room 1, see: kernel probes and sampled sources that report typed facts."""
