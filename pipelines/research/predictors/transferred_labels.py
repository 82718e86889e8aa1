"""Gives relatives of the labelled chains their secondary structure, residue by aligned residue.

    python pipelines/research/predictors/transferred_labels.py ../shared/data tables

Reads `secondary-structure.parquet` and writes `secondary-structure-transferred.parquet`: its rows,
and one for each protein of the corpus that is 30 to 98 % identical to a training chain over at
least 70 % of that. Residues without a partner are masked; 20 of them are kept on either side.
Proteins that resemble a held-out sequence are left out.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from relatives import aligned, names_like, read_corpus, read_held_out, search

IDENTITY = (0.30, 0.98)
COVERAGE = 0.7
FLANK = 20


def main() -> None:
    """Writes the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("tables", type=Path)
    arguments = parser.parse_args()
    labelled = pl.read_parquet(arguments.tables / "secondary-structure.parquet")
    corpus = read_corpus(arguments.data)
    alike = names_like(read_held_out(arguments.tables), corpus)
    chains = labelled.with_row_index("chain").filter(pl.col("split") == "train")
    queries = {str(chain): s for chain, s in zip(chains["chain"], chains["sequence"], strict=True)}
    hits = search(queries, corpus, sensitivity=5.7, e_value=1e-3, most=300)
    best = (
        hits.filter(
            ~pl.col("target").is_in(list(alike)),
            pl.col("fident").is_between(*IDENTITY, closed="left"),
            pl.col("qend") - pl.col("qstart") + 1 >= COVERAGE * pl.col("qlen"),
        )
        .sort("fident", descending=True, maintain_order=True)
        .unique("target", keep="first", maintain_order=True)
    )
    rows = [
        transfer(labelled.row(int(hit["query"]), named=True), corpus[hit["target"]], hit)
        for hit in best.iter_rows(named=True)
    ]
    table = pl.concat([labelled, pl.DataFrame(rows, schema=labelled.schema)])
    table.write_parquet(arguments.tables / "secondary-structure-transferred.parquet")
    print(f"{len(rows):,} relatives of {best['query'].n_unique():,} chains")


def transfer(chain: Mapping[str, str], sequence: str, hit: Mapping[str, Any]) -> dict[str, str]:
    """Returns a relative the labels of a chain."""
    there, here = aligned(hit)
    kept = slice(max(0, int(here[0]) - FLANK), int(here[-1]) + 1 + FLANK)
    row = {"sequence": sequence[kept], "split": "train"}
    for name, blank in (("ss3", "C"), ("ss8", "C"), ("mask", "0")):
        labels = np.full(len(sequence) if chain[name] else 0, blank)
        if chain[name]:
            labels[here] = np.array(list(chain[name]))[there]
        row[name] = "".join(labels[kept])
    return row


if __name__ == "__main__":
    main()
