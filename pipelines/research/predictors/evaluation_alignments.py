"""Aligns the test chains of secondary structure with their relatives in the corpus.

    python pipelines/research/predictors/evaluation_alignments.py ../shared/data tables

Writes an A3M file for each sequence of `test-secondary-structure.parquet` to `tables/alignments`:
the chain, and of each of the 60 best hits of MMseqs2 (E-value up to 0.001) the residues beside
those of the chain. `aligned-secondary-structure.parquet` is that table with the files' names in the
column `alignment`.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import polars as pl
from relatives import read_corpus, search

FOLDER = "alignments"


def main() -> None:
    """Writes the files and the column."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("tables", type=Path)
    arguments = parser.parse_args()
    table = pl.read_parquet(arguments.tables / "test-secondary-structure.parquet")
    chains = {str(number): chain for number, chain in enumerate(table["sequence"])}
    corpus = read_corpus(arguments.data)
    hits = search(chains, corpus, sensitivity=6, e_value=1e-3, most=60)
    relatives = hits.partition_by("query", as_dict=True)
    (arguments.tables / FOLDER).mkdir(exist_ok=True)
    names = [f"{FOLDER}/{number}.a3m" for number in chains]
    for (number, chain), name in zip(chains.items(), names, strict=True):
        found = relatives.get((number,), hits.clear()).iter_rows(named=True)
        (arguments.tables / name).write_text(to_a3m(chain, found))
    table.with_columns(alignment=pl.Series(names)).write_parquet(
        arguments.tables / "aligned-secondary-structure.parquet"
    )
    print(f"{len(chains):,} chains, {len(hits):,} relatives, {len(relatives):,} chains with some")


def to_a3m(chain: str, hits: Iterable[Mapping[str, Any]]) -> str:
    """Returns the rows of an alignment without insertions, the chain first."""
    rows = [f">chain\n{chain}\n"]
    for hit in hits:
        pairs = zip(hit["qaln"], hit["taln"], strict=True)
        beside = "".join(there for here, there in pairs if here != "-")
        rest = len(chain) - hit["qend"]
        rows.append(f">{hit['target']}\n{'-' * (hit['qstart'] - 1)}{beside}{'-' * rest}\n")
    return "".join(rows)


if __name__ == "__main__":
    main()
