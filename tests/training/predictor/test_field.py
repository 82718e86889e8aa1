"""Predictors whose head is a random field: trained, stored, and refused where labels do not fit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from bioseq.errors import FormatError, OptionError
from bioseq.prediction.tasks import TaskOptions, load_predictor, predict_files
from bioseq.training.predictor import load_predictor_settings, train_predictor
from bioseq.training.predictor.table import check_runs


@pytest.fixture
def settings(write_toy: Callable[..., Path], tmp_path: Path) -> Path:
    """Stretches of five have an L in their middle, and nothing else has."""
    rng = np.random.default_rng(0)
    sequences, labels = [], []
    for _ in range(100):
        blocks = rng.integers(0, 2, 8)
        sequences.append("".join("AGLVK" if block else "AGVAK" for block in blocks))
        labels.append("".join("SSSSS" if block else "NNNNN" for block in blocks))
    pl.DataFrame({"sequence": sequences, "stretch": labels}).write_csv(tmp_path / "labels.csv")
    return write_toy(
        targets={"stretch": {"level": "residue", "kind": "classes", "classes": ["N", "S"]}},
        head={"kind": "linear", "shortest": [1, 4]},
        optimizer={"learning_rate": 0.05},
    )


def test_a_field_is_trained_and_finds_whole_stretches(settings: Path, tmp_path: Path) -> None:
    result = train_predictor(load_predictor_settings(settings), tmp_path / "run", print)
    assert load_predictor(result.folder).reach is None
    fasta = tmp_path / "new.fasta"
    fasta.write_text(">new\nAGVAKAGLVKAGVAK\n>short\nLL\n")
    with predict_files(fasta, tmp_path / "o.h5", TaskOptions(tasks=result.folder)) as store:
        found = np.asarray(store.predictions["stretch"][0])
        short = np.asarray(store.predictions["stretch"][1])
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-5)
    assert "".join("NS"[i] for i in found.argmax(axis=1))[4:11].count("S") >= 4
    assert (short[:, 1] < 1e-6).all(), "two residues are no stretch"


def test_labels_shorter_than_the_field_allows_are_named(settings: Path, tmp_path: Path) -> None:
    settings.write_text(settings.read_text().replace("[1, 4]", "[1, 6]"))
    with pytest.raises(
        FormatError, match=r"neighbouring residues of 'S' at .*; expected at least 6"
    ):
        train_predictor(load_predictor_settings(settings), tmp_path / "run", print)


def test_a_run_beside_a_missing_label_may_go_on_there() -> None:
    labels = np.array([[1], [1], [np.nan], [0], [1], [1], [1]], np.float32)
    check_runs(labels, ("N", "S"), (1, 3), Path("t.csv"), line=2)
    with pytest.raises(
        FormatError, match="line 2: not valid label table: 3 neighbouring residues of 'S' at 5"
    ):
        check_runs(labels, ("N", "S"), (1, 4), Path("t.csv"), line=2)


@pytest.mark.parametrize("change", [("[1, 4]", "[1]"), ('level = "residue"', 'level = "sequence"')])
def test_a_field_needs_one_target_of_classes(settings: Path, change: tuple[str, str]) -> None:
    settings.write_text(settings.read_text().replace(*change))
    with pytest.raises(OptionError, match=r"shortest is .*; allowed: a number for each class"):
        load_predictor_settings(settings)
