"""Training of predictors: it learns, resumes to the same weights, and refuses what can't be."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

from bioseq.errors import FingerprintError, FormatError, InputError, OptionError
from bioseq.predict.tasks import TaskOptions, load_predictor, predict_files
from bioseq.train.predictor import load_predictor_settings, train_predictor

SETTINGS = """
[predictor]
task = "toy"

[data]
table = "labels.csv"
split = "random"
held_out = 0.4

[encoder]
model = "one-hot-protein"
layers = [0]

[head]
kind = "convolution"
dim = 16
kernel = 3
dilations = [1]
dropout = 0.0

[[targets]]
name = "after"
column = "after"
level = "residue"
kind = "classes"
classes = ["H", "E", "C"]

[[targets]]
name = "charge"
column = "charge"
level = "residue"
kind = "value"
classes = ["charge"]

[optimizer]
epochs = 12
residues_per_batch = 200
learning_rate = 1e-2
patience = 12
members = 2
"""


def quiet(_: str) -> None:
    pass


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    """What follows an A is H, a G is E, all else C; K is charged."""
    rng = np.random.default_rng(0)
    states = {"A": "H", "G": "E"}
    sequences = ["".join(rng.choice(list("AGLKV"), 40)) for _ in range(100)]
    pl.DataFrame(
        {
            "sequence": sequences,
            "after": [
                "".join(states.get(s[i - 1], "C") if i else "C" for i in range(40))
                for s in sequences
            ],
            "charge": [",".join(str(float(x == "K")) for x in s) for s in sequences],
        }
    ).write_csv(tmp_path / "labels.csv")
    (tmp_path / "toy.toml").write_text(SETTINGS)
    return tmp_path / "toy.toml"


def test_what_a_neighbour_decides_is_learned_and_predicted_for_new_sequences(
    settings: Path, tmp_path: Path
) -> None:
    result = train_predictor(load_predictor_settings(settings), tmp_path / "run", quiet)
    assert (result.train_sequences, result.valid_sequences, result.test_sequences) == (60, 20, 20)
    fasta = tmp_path / "new.fasta"
    fasta.write_text(">new\nLALGKVAAL\n")
    with predict_files(fasta, tmp_path / "o.h5", TaskOptions(tasks=result.folder)) as store:
        classes = np.asarray(store.predictions["after"][0]).argmax(axis=1)
        charge = np.asarray(store.predictions["charge"][0])[:, 0]
    assert "".join("HEC"[i] for i in classes) == "CCHCECCHH"
    np.testing.assert_allclose(charge, [0, 0, 0, 0, 1, 0, 0, 0, 0], atol=0.2)


def test_interrupted_and_resumed_training_gives_the_same_weights(
    settings: Path, tmp_path: Path
) -> None:
    read = load_predictor_settings(settings)
    whole = load_predictor(train_predictor(read, tmp_path / "whole", quiet).folder)
    lines = []

    def interrupt(line: str) -> None:
        lines.append(line)
        if line.startswith("epoch 5"):
            raise InterruptedError

    with pytest.raises(InterruptedError):
        train_predictor(read, tmp_path / "run", interrupt, seconds_between_saves=0.0)
    resumed = load_predictor(train_predictor(read, tmp_path / "run", quiet).folder)
    for name, weight in whole.state_dict().items():
        assert torch.equal(weight, resumed.state_dict()[name]), name


def test_a_finished_run_gives_its_result_at_once(settings: Path, tmp_path: Path) -> None:
    read = load_predictor_settings(settings)
    first = train_predictor(read, tmp_path / "run", quiet)
    (tmp_path / "run" / "states.h5").unlink()
    assert train_predictor(read, tmp_path / "run", quiet) == first


def test_a_folder_of_another_run_is_refused(settings: Path, tmp_path: Path) -> None:
    train_predictor(load_predictor_settings(settings), tmp_path / "run", quiet)
    settings.write_text(SETTINGS.replace("epochs = 12", "epochs = 13"))
    with pytest.raises(FingerprintError, match=r"optimizer\.epochs was 12, now 13"):
        train_predictor(load_predictor_settings(settings), tmp_path / "run", quiet)


@pytest.mark.parametrize(
    ("change", "error", "named"),
    [
        (('kind = "convolution"', 'kind = "forest"'), OptionError, r"\[head\] kind"),
        (('column = "after"', 'column = "before"'), FormatError, "no column 'before'"),
        (('column = "charge"', 'column = "after"'), FormatError, "could not convert"),
        (('table = "labels.csv"', 'table = "none.csv"'), InputError, "none.csv"),
        (("[head]", "[hat]"), OptionError, "hat"),
        (('model = "one-hot-protein"', "first_residues = 5"), OptionError, "first_residues"),
        (('split = "random"', 'split = "column"'), FormatError, "no column 'split'"),
    ],
)
def test_settings_that_can_not_be_are_refused_by_name(
    settings: Path,
    tmp_path: Path,
    change: tuple[str, str],
    error: type[Exception],
    named: str,
) -> None:
    settings.write_text(SETTINGS.replace(*change))
    with pytest.raises(error, match=named):
        train_predictor(load_predictor_settings(settings), tmp_path / "run", quiet)
