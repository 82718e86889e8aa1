"""Shows that no test sequence is in training, and counts those that resemble a training sequence.

    python pipelines/research/predictors/leaks.py tables

For every bundled predictor the sequences that it was fitted on and watched by (train and valid, in
all tables whose names begin with the task) are compared with those of its test sets: equal ones,
and those with a local similarity beyond chance as `bioseq.training.similarity` finds it (its
sensitivity stands in `cluster_sequences`). Exit status 1 if an equal one is found outside of the
sets that are published with such overlaps.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import polars as pl

from bioseq.training.leakage import find_leaks

DNA_TASKS = ("promoter", "splice")
KNOWN_OVERLAPS = {("secondary-structure", "CB513")}


def main() -> None:
    """Prints one line for each test set."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("tables", type=Path)
    arguments = parser.parse_args()
    status = 0
    for path in sorted(arguments.tables.glob("test-*.parquet")):
        task = path.stem.removeprefix("test-")
        names = (f"{task}.parquet", f"{task}-*.parquet")
        tables = [table for name in names for table in arguments.tables.glob(name)]
        training = pl.concat(
            [pl.read_parquet(table, columns=["sequence", "split"]) for table in tables]
        )
        seen = (
            training.filter(pl.col("split") != "test")["sequence"]
            .unique(maintain_order=True)
            .to_list()
        )
        known = set(seen)
        molecule = "dna" if task in DNA_TASKS else "protein"
        tests = pl.read_parquet(path)
        for name in tests["test"].unique(maintain_order=True):
            held_out = tests.filter(pl.col("test") == name)["sequence"].to_list()
            equal = len([s for s in held_out if s in known])
            is_test = np.arange(len(seen) + len(held_out)) >= len(seen)
            similar = int(find_leaks([*seen, *held_out], is_test, molecule).sum())
            print(
                f"{task}, {name}: {len(held_out):,} sequences, {equal} equal to and "
                f"{similar:,} like one of the {len(seen):,} in training"
            )
            if equal and (task, name) not in KNOWN_OVERLAPS:
                status = 1
    sys.exit(status)


if __name__ == "__main__":
    main()
