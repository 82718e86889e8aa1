"""Predictors of pairs, and of several levels: trained, resumed, evaluated."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch

from bioseq.errors import FormatError, OptionError
from bioseq.evaluation import evaluate, load_trials
from bioseq.prediction.tasks import TaskOptions, load_predictor, predict_files
from bioseq.training.predictor import load_predictor_settings, train_predictor

TARGETS = {
    "charge": {"level": "residue", "kind": "classes", "classes": ["K", "E", "N"]},
    "bridge": {
        "level": "pair",
        "kind": "classes",
        "classes": ["none", "bridge"],
        "separation": 4,
    },
    "lysines": {"level": "sequence", "kind": "value", "classes": ["share"]},
}
TRIAL = """
[[trials]]
name = "toy"
predictor = "run/predictor"
target = "bridge"
table = "labels.csv"
where = "split=test"
column = "bridge"
level = "pair"
kind = "classes"
classes = ["none", "bridge"]
training = "labels.csv"
"""


def quiet(_: str) -> None:
    pass


def pairs_of_charges(sequence: str) -> list[tuple[int, int]]:
    """A K bridges every E that stands four or more residues behind it."""
    return [
        (i, j)
        for i, first in enumerate(sequence)
        for j, second in enumerate(sequence)
        if (first, second) == ("K", "E") and j - i >= 4
    ]


Write = Callable[[dict[str, Any]], Path]


@pytest.fixture
def write(write_toy: Callable[..., Path]) -> Write:
    """Writes the settings of a predictor of the given targets."""

    def write(targets: dict[str, Any]) -> Path:
        return write_toy(
            targets=targets,
            head={"kind": "mlp", "dim": 16, "pair_dim": 8},
            data={"split": "column"},
            optimizer={"epochs": 10, "learning_rate": 0.03, "patience": 10},
        )

    return write


@pytest.fixture
def settings(write: Write, tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    sequences = ["".join(rng.choice(list("AGLKE"), 40)) for _ in range(60)]
    pl.DataFrame(
        {
            "sequence": sequences,
            "split": ["train", "train", "valid", "test", "train"] * 12,
            "charge": ["".join(x if x in "KE" else "N" for x in s) for s in sequences],
            "bridge": [
                " ".join(f"{i + 1}-{j + 1}" for i, j in pairs_of_charges(s)) for s in sequences
            ],
            "lysines": [s.count("K") / 40 for s in sequences],
        }
    ).write_csv(tmp_path / "labels.csv")
    return write(TARGETS)


def test_three_levels_are_learned_together(
    settings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = train_predictor(load_predictor_settings(settings), tmp_path / "run", quiet)
    fasta, sequence = tmp_path / "new.fasta", "KAAGLEGGKLAEAKLLLLGE"
    fasta.write_text(f">new\n{sequence}\n")
    with predict_files(fasta, tmp_path / "o.h5", TaskOptions(tasks=result.folder)) as store:
        charge = np.asarray(store.predictions["charge"][0]).argmax(axis=1)
        bridge = np.asarray(store.predictions["bridge"][0])
        lysines = np.asarray(store.predictions["lysines"][0])
    assert "".join("KEN"[i] for i in charge) == "".join(x if x in "KE" else "N" for x in sequence)
    assert list(zip(*np.nonzero(np.triu(bridge > 0.5)), strict=True)) == pairs_of_charges(sequence)
    assert lysines == pytest.approx(3 / 20, abs=0.05)

    monkeypatch.chdir(tmp_path)
    (tmp_path / "trials.toml").write_text(TRIAL)
    rows = evaluate(load_trials(tmp_path / "trials.toml"), tmp_path, quiet, resamples=10)
    trained, baseline = rows
    assert baseline.method == "mean by separation"
    assert trained.figures["AUC"].value > 0.99
    assert baseline.figures["AUC"].value < 0.65
    assert trained.figures["P@L/5"].value > 3 * baseline.figures["P@L/5"].value


def test_interrupted_and_resumed_training_gives_the_same_weights(
    settings: Path, tmp_path: Path
) -> None:
    text = settings.read_text().replace("epochs = 10", "epochs = 3")
    settings.write_text(text.replace("dropout = 0.0", "dropout = 0.2"))
    read = load_predictor_settings(settings)
    whole = load_predictor(train_predictor(read, tmp_path / "whole", quiet).folder)

    def interrupt(line: str) -> None:
        if line.startswith("epoch 2"):
            raise InterruptedError

    with pytest.raises(InterruptedError):
        train_predictor(read, tmp_path / "run", interrupt, seconds_between_saves=0.0)
    resumed = load_predictor(train_predictor(read, tmp_path / "run", quiet).folder)
    for name, weight in whole.state_dict().items():
        assert torch.equal(weight, resumed.state_dict()[name]), name
    assert whole.targets == resumed.targets


@pytest.mark.usefixtures("settings")
def test_values_of_pairs_are_learned_from_those_that_are_listed(
    write: Write, tmp_path: Path
) -> None:
    """A pair of equal residues is 4 apart, any other 9; half of the pairs are listed."""
    frame = pl.read_csv(tmp_path / "labels.csv")
    cells = []
    for sequence in frame["sequence"]:
        listed = [(i, j) for i in range(40) for j in range(i + 1, 40) if (i + j) % 2]
        values = [4.0 if sequence[i] == sequence[j] else 9.0 for i, j in listed]
        pairs = zip(listed, values, strict=True)
        cells.append(" ".join(f"{i + 1}-{j + 1}:{value}" for (i, j), value in pairs))
    frame.with_columns(pl.Series("d", cells)).write_csv(tmp_path / "labels.csv")
    settings = write({"d": {"level": "pair", "kind": "value", "classes": ["angstrom"]}})
    result = train_predictor(load_predictor_settings(settings), tmp_path / "run", quiet)
    assert load_predictor(result.folder).targets[0].separation == 6
    fasta = tmp_path / "new.fasta"
    fasta.write_text(">new\nKAAAAAAAKE\n")
    with predict_files(fasta, tmp_path / "o.h5", TaskOptions(tasks=result.folder)) as store:
        square = np.asarray(store.predictions["d"][0])
    np.testing.assert_allclose([square[0, 8], square[0, 9], square[1, 7]], [4, 9, 4], atol=1)


@pytest.mark.parametrize(
    ("change", "error", "named"),
    [
        (('column = "bridge"', 'column = "charge"'), FormatError, "line 2: .* two residues"),
        (('classes = ["none", "bridge"]', 'classes = ["b"]'), OptionError, "two classes"),
        (("separation = 4", "separation = 0"), OptionError, "separation"),
        (("pair_dim = 8", "pair_dim = 0"), OptionError, "pair_dim"),
        (('level = "pair"', 'level = "triple"'), OptionError, "level"),
        (('kind = "mlp"', 'kind = "light-attention"'), OptionError, "light-attention"),
        (("layers = [0]", "layers = [0]\nfirst_residues = 9"), OptionError, "first_residues"),
    ],
)
def test_what_pairs_can_not_have_is_refused_by_name(
    settings: Path,
    tmp_path: Path,
    change: tuple[str, str],
    error: type[Exception],
    named: str,
) -> None:
    settings.write_text(settings.read_text().replace(*change))
    with pytest.raises(error, match=named):
        train_predictor(load_predictor_settings(settings), tmp_path / "run", quiet)
