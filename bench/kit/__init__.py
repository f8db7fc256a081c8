"""What several benchmarks need: somebody who does things, the daemon that watches, a table for the results."""
