"""`bioseq predict nearest`, as a user meets it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

Run = Callable[..., Any]


def test_labels_are_transferred_with_the_neighbours_names(
    bioseq: Run, tmp_path: Path, tiny_lstm: Path
) -> None:
    known, asked = tmp_path / "known.fasta", tmp_path / "asked.fasta"
    known.write_text(">a\nMKVLAAGI\n>b\nGGSSGGSS\n>c\nMKVLAAGV\n")
    asked.write_text(">x first\nGGSSGGSS\n>y\nMK?\n>z\n\n")
    labels = tmp_path / "labels.tsv"
    labels.write_text("protein\tplace\na\tinside\nb\toutside\nc\tinside\nd\toutside\n")
    store, out, table = tmp_path / "known.h5", tmp_path / "out.h5", tmp_path / "out.csv"
    assert bioseq("embed", known, "-o", store, "--model", tiny_lstm).status == 0
    command = ["predict", "nearest", asked, "--store", store, "--labels", labels]
    command += ["--column", "place", "--id", "protein", "--neighbours", "2", "--model", tiny_lstm]
    found = bioseq(*command, "-o", out, "--export", table)
    assert found.status == 3
    assert "reference  3 records with one of 4 labels" in found.out
    assert "place  1 outside" in found.out
    assert "failed: record 2 (y)" in found.err
    frame = pl.read_csv(table)
    assert frame.columns == [
        *("record", "id", "length", "failure", "place", "place.inside", "place.outside"),
        *("place-neighbours", "place-distances"),
    ]
    assert frame["place"].to_list() == ["outside", None, None]
    assert frame["place-neighbours"][0].startswith("b|")
    again = bioseq(*command, "-o", out, "--export", table)
    assert again.status == 1
    assert "out.csv" in again.err
