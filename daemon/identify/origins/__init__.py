"""Where a model came from: one file for each store that runtimes keep models in."""
