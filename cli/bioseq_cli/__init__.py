"""The `bioseq` command: translates arguments for the library and its results for a terminal."""
