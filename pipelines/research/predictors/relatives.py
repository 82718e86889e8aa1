"""Proteins of the corpus with their relatives, as MMseqs2 finds and aligns them."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from jaxtyping import Int64

from bioseq.io import open_records

CORPUS = "protein_corpus/nr50.fasta.gz"

_COLUMNS = {
    "query": pl.String,
    "target": pl.String,
    "fident": pl.Float64,
    "qstart": pl.Int64,
    "qend": pl.Int64,
    "tstart": pl.Int64,
    "qlen": pl.Int64,
    "qaln": pl.String,
    "taln": pl.String,
}


def read_corpus(data: Path) -> dict[str, str]:
    """Reads the proteins of the corpus, upper case, by name."""
    with open_records(data / CORPUS) as records:
        return {record.id: record.sequence.upper() for record in records}


def read_held_out(tables: Path) -> dict[str, str]:
    """Reads what no training may see: test sequences, and those that end the fitting."""
    labelled = pl.read_parquet(tables / "secondary-structure.parquet")
    tests = pl.read_parquet(tables / "test-secondary-structure.parquet")
    others = labelled.filter(pl.col("split") != "train")
    found = [*tests["sequence"], *others["sequence"]]
    return {f"held-out-{number}": sequence for number, sequence in enumerate(found)}


def names_like(held_out: Mapping[str, str], corpus: Mapping[str, str]) -> set[str]:
    """Names the proteins that resemble a held-out one (E-value up to 0.01)."""
    return set(search(held_out, corpus, sensitivity=5.7, e_value=1e-2, most=1000)["target"])


def search(
    queries: Mapping[str, str],
    targets: Mapping[str, str],
    *,
    sensitivity: float,
    e_value: float,
    most: int,
) -> pl.DataFrame:
    """Finds relatives with MMseqs2, which must be on the path.

    Args:
        queries: Sequences by name.
        targets: Sequences by name.
        sensitivity: Of the search, 1 to 7.5.
        e_value: Largest of a hit.
        most: Hits of a query.

    Returns:
        A row per hit, the best of a query first: `query`, `target`, `fident` (identity, 0 to 1),
        `qstart`, `qend` and `tstart` from 1, `qlen`, and the aligned rows `qaln` and `taln`.
    """
    with tempfile.TemporaryDirectory() as folder:

        def mmseqs(*arguments: object) -> None:
            command = ["mmseqs", *map(str, arguments), "-v", "1"]
            subprocess.run(command, cwd=folder, check=True)

        for name, sequences in (("queries", queries), ("targets", targets)):
            text = "".join(f">{id}\n{sequence}\n" for id, sequence in sequences.items())
            Path(folder, f"{name}.fasta").write_text(text)
            mmseqs("createdb", f"{name}.fasta", name)
        limits = ("-s", sensitivity, "-e", e_value, "--max-seqs", most)
        mmseqs("search", "queries", "targets", "hits", "scratch", "-a", 1, *limits)
        columns = ",".join(_COLUMNS)
        mmseqs("convertalis", "queries", "targets", "hits", "hits.tsv", "--format-output", columns)
        return pl.read_csv(
            Path(folder, "hits.tsv"),
            separator="\t",
            has_header=False,
            schema=_COLUMNS,
            raise_if_empty=False,
        )


def aligned(
    hit: Mapping[str, Any],
) -> tuple[Int64[np.ndarray, " pairs"], Int64[np.ndarray, " pairs"]]:
    """Returns the places, from 0, of the residues of query and target that stand side by side.

    Args:
        hit: A row of what `search` gave.
    """
    in_query, in_target = (
        np.array([symbol != "-" for symbol in hit[row]]) for row in ("qaln", "taln")
    )
    both = in_query & in_target
    return (
        (hit["qstart"] - 2 + np.cumsum(in_query))[both],
        (hit["tstart"] - 2 + np.cumsum(in_target))[both],
    )
