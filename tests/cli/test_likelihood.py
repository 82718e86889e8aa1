"""`bioseq predict likelihood`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from bioseq.store import open_store


def test_what_is_not_scored_ends_with_status_3_and_is_named(
    bioseq: Callable[..., Any], tiny_lstm: Path, tmp_path: Path
) -> None:
    proteins, output, table = (tmp_path / name for name in ("in.fasta", "out.h5", "out.csv"))
    proteins.write_text(">a\nMKTAYIAK\n>b\nMK1\n")
    arguments = ("predict", "likelihood", proteins, "-o", output, "--model", tiny_lstm)
    outcome = bioseq(*arguments, "--distribution", "--table", table)
    assert outcome.status == 3
    assert "record 2 (b): symbol '1'" in outcome.err
    assert "1 distinct sequences" in outcome.out
    assert "in the median" in outcome.out
    assert len(table.read_text().splitlines()) == 3
    with open_store(output) as store:
        assert np.asarray(store.predictions["log-probabilities"][0]).shape == (8, 29)
    repeated = bioseq(*arguments, "--distribution")
    assert repeated.status == 3
    assert "already done" in repeated.err


def test_no_sequences_are_no_failure(
    bioseq: Callable[..., Any], tiny_lstm: Path, tmp_path: Path
) -> None:
    (tmp_path / "in.fasta").write_text("")
    arguments = ("predict", "likelihood", tmp_path / "in.fasta", "-o", tmp_path / "out.h5")
    outcome = bioseq(*arguments, "--model", tiny_lstm)
    assert outcome.status == 0
    assert "perplexity  none" in outcome.out
