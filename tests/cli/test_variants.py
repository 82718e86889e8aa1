"""`bioseq predict variants`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any


def test_variants_that_do_not_fit_end_with_status_3_and_are_named(
    bioseq: Callable[..., Any], tiny_transformer: Path, tmp_path: Path
) -> None:
    wild_type, variants = tmp_path / "wt.fasta", tmp_path / "variants.csv"
    wild_type.write_text(">wt\nMKTAYIAK\n")
    variants.write_text("change,score\nK2A,1\nA2K,2\n")
    output, table = tmp_path / "out.h5", tmp_path / "out.csv"
    arguments = ("predict", "variants", wild_type, "--variants", variants, "--column", "change")
    arguments = (*arguments, "-o", output, "--table", table, "--model", tiny_transformer)
    outcome = bioseq(*arguments)
    assert outcome.status == 3
    assert "record 2 (A2K): wt has K at 2, not A" in outcome.err
    assert "masked-marginals" in outcome.out
    assert len(table.read_text().splitlines()) == 3
    assert bioseq("store", "failures", output).out == "2\tA2K\twt has K at 2, not A\n"
    assert "already done" in bioseq(*arguments).err


def test_a_scan_needs_no_list_of_variants(
    bioseq: Callable[..., Any], tiny_lstm: Path, tmp_path: Path
) -> None:
    proteins, output = tmp_path / "p.fasta", tmp_path / "out.h5"
    proteins.write_text(">wt\nMKTAYIAK\n")
    outcome = bioseq("predict", "variants", proteins, "-o", output, "--model", tiny_lstm)
    assert outcome.status == 0
    assert "per residue, 20 x float32" in bioseq("store", "info", output).out


def test_a_strategy_that_the_model_lacks_is_one_line(
    bioseq: Callable[..., Any], tiny_lstm: Path, tmp_path: Path
) -> None:
    proteins = tmp_path / "p.fasta"
    proteins.write_text(">wt\nMKTAYIAK\n")
    arguments = ("predict", "variants", proteins, "-o", tmp_path / "out.h5", "--model", tiny_lstm)
    outcome = bioseq(*arguments, "--strategy", "likelihood")
    assert outcome.status == 1
    assert outcome.err.startswith(
        "bioseq: error: strategy is 'likelihood'; allowed: for this model"
    )
