"""Counts the proteins that `bioseq predict topology` calls membrane proteins, rightly or wrongly.

    python pipelines/predictors/membrane_proteins.py tables

A protein counts as found when a membrane segment of the right kind is among its decoded labels.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
import polars as pl

from bioseq.prediction.tasks import TaskOptions, predict_files
from bioseq.prediction.tasks.meaning import segmentation_of
from bioseq.prediction.tasks.segments import decode


def find_kinds(sequences: list[str]) -> list[str]:
    """Gives the letters of the membrane segments of each sequence, `` for none."""
    with tempfile.TemporaryDirectory() as name:
        fasta = Path(name) / "in.fasta"
        fasta.write_text("".join(f">{i}\n{s}\n" for i, s in enumerate(sequences)))
        with predict_files(fasta, Path(name) / "out.h5", TaskOptions(tasks="topology")) as store:
            view = store.predictions["topology"]
            grammar = segmentation_of(view).grammar
            found = [np.unique(decode(np.asarray(values), grammar)) for _, values in view]
    return ["".join("NHB"[i] for i in kinds if i) for kinds in found]


def main() -> None:
    """Prints the counts."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("tables", type=Path)
    arguments = parser.parse_args()
    table = pl.read_parquet(arguments.tables / "test-topology.parquet")
    found = find_kinds(table["sequence"].to_list())
    for letter, name in (("H", "alpha"), ("B", "beta")):
        members = [
            f for f, labels in zip(found, table["topology"], strict=True) if letter in labels
        ]
        print(f"{name}: {sum(letter in f for f in members)} of {len(members)} found")
    wrong = [f for f, test in zip(found, table["test"], strict=True) if test == "globular"]
    print(f"globular: {sum(bool(f) for f in wrong)} of {len(wrong)} called membrane proteins")


if __name__ == "__main__":
    main()
