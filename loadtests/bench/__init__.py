"""The benchmark: one run on one machine, medians of alternating rounds."""
