"""Training of predictors: it learns, resumes to the same weights, and refuses what can't be."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import numpy as np
import polars as pl
import pytest
import torch

from bioseq.errors import (
    FingerprintError,
    FormatError,
    InputError,
    MissingDependencyError,
    OptionError,
)
from bioseq.heads import HeadKind
from bioseq.prediction.tasks import TaskOptions, load_predictor, predict_files
from bioseq.training import training_log
from bioseq.training.predictor import load_predictor_settings, train_predictor

Apart = Callable[..., subprocess.CompletedProcess[str]]


def quiet(_: str) -> None:
    pass


@pytest.fixture
def settings(write_toy: Callable[..., Path], tmp_path: Path) -> Path:
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
            "total": [s.count("K") for s in sequences],
        }
    ).write_csv(tmp_path / "labels.csv")
    return write_toy(
        "after",
        "charge",
        head={"kind": "convolution", "dim": 16, "kernel": 3, "dilations": [1]},
        optimizer={"members": 2},
    )


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


def assert_same_run(folder: Path, other: Path) -> None:
    """Same weights to the last bit, same figures, same logs."""
    ours, theirs = (load_predictor(f / "predictor").state_dict() for f in (folder, other))
    assert ours.keys() == theirs.keys()
    for name, weight in ours.items():
        assert torch.equal(weight, theirs[name]), name
    results = [json.loads((each / "result.json").read_text()) for each in (folder, other)]
    assert results[0] | {"folder": ""} == results[1] | {"folder": ""}
    logs = sorted(log.relative_to(folder) for log in folder.glob("**/log.tsv"))
    assert logs
    for log in logs:
        assert (folder / log).read_text() == (other / log).read_text()


def test_interrupted_and_resumed_training_gives_the_same_weights(
    settings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training_log, "STEPS_BETWEEN_LINES", 5)
    settings.write_text(settings.read_text().replace("dropout = 0.0", "dropout = 0.2"))
    read = load_predictor_settings(settings)
    train_predictor(read, tmp_path / "whole", quiet)
    # Inside an epoch, at a check, behind one, at the last step, and in the second member.
    for place in ("step 25 of", "epoch 5", "step 65 of", "step 144 of", "step 30 of"):

        def interrupt(line: str, place: str = place) -> None:
            if line.startswith(place):
                raise InterruptedError

        with pytest.raises(InterruptedError):
            train_predictor(read, tmp_path / "run", interrupt, seconds_between_saves=0.0)
    assert (tmp_path / "run" / "member-1" / "last.ckpt").exists()
    lines: list[str] = []
    train_predictor(read, tmp_path / "run", lines.append)
    assert not any(line.startswith("step 25 of") for line in lines), "went on"
    assert_same_run(tmp_path / "run", tmp_path / "whole")


def test_a_run_killed_while_it_saves_goes_on_from_the_save_before(
    settings: Path, tmp_path: Path, train_apart: Apart
) -> None:
    settings.write_text(settings.read_text().replace("members = 2", "steps = 40"))
    killed = train_apart(settings, tmp_path / "cut", kill_at_save=31)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    checkpoint = torch.load(tmp_path / "cut" / "last.ckpt", weights_only=True)
    assert checkpoint["global_step"] == 30
    assert any(path.name.startswith(".last.ckpt.tmp") for path in (tmp_path / "cut").iterdir())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training_log, "STEPS_BETWEEN_LINES", 2)
        for name in ("cut", "whole"):
            train_predictor(load_predictor_settings(settings), tmp_path / name, quiet)
    assert_same_run(tmp_path / "cut", tmp_path / "whole")
    assert not any(path.name.startswith(".") for path in (tmp_path / "cut").iterdir())


def test_a_run_without_hope_ends_with_the_weights_of_its_best_epoch(
    settings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (
        settings.read_text()
        .replace("members = 2", "")
        .replace("0.01", "0.3")
        .replace("= 12", "= 40")
    )
    settings.write_text(text.replace("patience = 40", "patience = 3"))
    read = load_predictor_settings(settings)
    result = train_predictor(read, tmp_path / "whole", quiet)
    checks = pl.read_csv(tmp_path / "whole" / "log.tsv", separator="\t").drop_nulls("held_out_loss")
    best = checks["held_out_loss"].arg_min()
    assert best is not None
    assert checks["step"].to_list() == [12 * epoch for epoch in range(1, best + 1 + 3 + 1)]
    assert len(checks) < 40
    assert result.valid_loss == [pytest.approx(checks["held_out_loss"].min(), abs=1e-6)]

    # As if the power had gone before the result was written.
    with monkeypatch.context() as patch:
        patch.setattr("bioseq.training.predictor.run.save_predictor", _interrupted)
        with pytest.raises(InterruptedError):
            train_predictor(read, tmp_path / "cut", quiet)
    lines: list[str] = []
    train_predictor(read, tmp_path / "cut", lines.append)
    assert not any(line.startswith(("step", "epoch")) for line in lines), "the run had ended"
    assert_same_run(tmp_path / "cut", tmp_path / "whole")


def _interrupted(*_: object, **__: object) -> None:
    raise InterruptedError


def test_the_log_has_a_check_behind_each_epoch_and_the_last_step(
    settings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training_log, "STEPS_BETWEEN_LINES", 10)
    changed = settings.read_text().replace("members = 2", "steps = 30\n[run]\ntensorboard = true")
    settings.write_text(changed)
    train_predictor(load_predictor_settings(settings), tmp_path / "run", quiet)
    log = pl.read_csv(tmp_path / "run" / "log.tsv", separator="\t")
    assert log.columns == ["step", "loss", "held_out_loss"]
    assert log.drop_nulls("loss")["step"].to_list() == [10, 20, 30]
    assert log.drop_nulls("held_out_loss")["step"].to_list() == [12, 24, 30]
    assert len(list((tmp_path / "run" / "tensorboard").iterdir())) == 1


@pytest.mark.parametrize("kind", get_args(HeadKind))
def test_bfloat16_trains_nearly_as_float32_does(
    settings: Path, tmp_path: Path, kind: HeadKind
) -> None:
    text = (
        settings.read_text()
        .replace("members = 2", "steps = 20\n")
        .replace('"convolution"', f'"{kind}"')
    )
    if kind == "light-attention":
        # One target per sequence: its charge.
        text = (
            text[: text.index("[[targets]]")] + text[text.index('[[targets]]\nname = "charge"') :]
        )
        text = text.replace('"residue"', '"sequence"').replace('"charge"\nlevel', '"total"\nlevel')
    losses = {}
    for precision in ("float32", "bfloat16"):
        settings.write_text(text.replace("steps", f'precision = "{precision}"\nsteps'))
        result = train_predictor(load_predictor_settings(settings), tmp_path / precision, quiet)
        [losses[precision]] = result.valid_loss
    assert losses["bfloat16"] != losses["float32"]
    assert losses["bfloat16"] == pytest.approx(losses["float32"], rel=0.02)


def test_where_a_run_takes_place_is_no_part_of_what_it_is(settings: Path, tmp_path: Path) -> None:
    train_predictor(load_predictor_settings(settings), tmp_path / "run", quiet)
    text = settings.read_text()
    claimed = json.loads((tmp_path / "run" / "settings.json").read_text())
    assert "run" not in claimed
    assert "precision" not in claimed["optimizer"], "older runs have no such field"
    settings.write_text(text + "[run]\naccumulation = 2\n")
    train_predictor(load_predictor_settings(settings), tmp_path / "run", quiet)
    settings.write_text(text + 'precision = "bfloat16"\n')
    with pytest.raises(FingerprintError, match=r"optimizer\.precision was None, now 'bfloat16'"):
        train_predictor(load_predictor_settings(settings), tmp_path / "run", quiet)


def test_without_lightning_the_extra_is_named(
    settings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "bioseq.training.predictor.fit", raising=False)
    monkeypatch.setitem(sys.modules, "lightning", None)
    with pytest.raises(MissingDependencyError, match=r"bioseq\[train\]"):
        train_predictor(load_predictor_settings(settings), tmp_path / "run", quiet)
    assert not (tmp_path / "run").exists()


def test_a_finished_run_gives_its_result_at_once(settings: Path, tmp_path: Path) -> None:
    read = load_predictor_settings(settings)
    first = train_predictor(read, tmp_path / "run", quiet)
    (tmp_path / "run" / "states.h5").unlink()
    assert train_predictor(read, tmp_path / "run", quiet) == first


def test_a_folder_of_another_run_is_refused(settings: Path, tmp_path: Path) -> None:
    train_predictor(load_predictor_settings(settings), tmp_path / "run", quiet)
    settings.write_text(settings.read_text().replace("epochs = 12", "epochs = 13"))
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
        (("members = 2", "[run]\ndevices = 0"), OptionError, "devices"),
        (("members = 2", 'precision = "float16"'), OptionError, "precision"),
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
    settings.write_text(settings.read_text().replace(*change))
    with pytest.raises(error, match=named):
        train_predictor(load_predictor_settings(settings), tmp_path / "run", quiet)
