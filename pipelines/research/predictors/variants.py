"""Makes a table of 1,045 labelled variants of protein G's B1 domain, 500 of them for training.

    python pipelines/research/predictors/variants.py ../shared/data gb1.csv

The label is the log enrichment against the wild type of Olson et al. 2014; every variant has one
substitution. 400 variants train, 100 end the fitting, and the others are tested on.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import polars as pl
from tables import read

_LABELLED, _WATCHED = 500, 100


def main() -> None:
    """Writes the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("output", type=Path)
    arguments = parser.parse_args()
    table = read(arguments.data / "dms/gb1_olson2014_singles.tsv.gz")
    types = json.loads((arguments.data / "dms/wildtypes.json").read_text())
    wild = types["gb1_olson2014_singles"]
    sequences = [_mutate(wild["wt"], v, wild["index_of_first_residue"]) for v in table["variant"]]
    parts = np.full(len(table), "test", dtype=object)
    order = np.random.default_rng(0).permutation(len(table))
    parts[order[:_LABELLED]] = "train"
    parts[order[:_WATCHED]] = "valid"
    pl.DataFrame(
        {
            "variant": table["variant"],
            "sequence": sequences,
            "fitness": table["score_log_enrichment_vs_wt"],
            "split": parts.tolist(),
        }
    ).write_csv(arguments.output)


def _mutate(wild: str, variant: str, first: int) -> str:
    place = int(variant[1:-1]) - first
    if wild[place] != variant[0]:
        found = f"{variant} on {wild[place]}"
        raise SystemExit(found)
    return wild[:place] + variant[-1] + wild[place + 1 :]


if __name__ == "__main__":
    main()
