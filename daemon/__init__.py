"""Room 2, think: typed events go in, typed commands come out, and a shell around carries them out."""
