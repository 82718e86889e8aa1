"""Early stopping, and the figures of a run for TensorBoard."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
import torch
from safetensors.torch import load_file

from bioseq.checkpoints import load_model
from bioseq.errors import MissingDependencyError
from bioseq.tokenizer import build_residue_tokenizer
from bioseq.training import RunSettings, TrainingSettings, pretrain, pretraining, training_log
from bioseq.training.held_out import held_out_batches, held_out_loss
from bioseq.training.run import build_language_model
from bioseq.training.split import load_split

TOKENIZER = build_residue_tokenizer("protein")
Make = Callable[..., TrainingSettings]
Write = Callable[..., Path]


@pytest.fixture(autouse=True)
def _report_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_log, "STEPS_BETWEEN_LINES", 2)
    monkeypatch.setattr(pretraining, "_STEPS_BETWEEN_CHECKS", 2)


def _log(folder: Path) -> pl.DataFrame:
    return pl.read_csv(folder / "log.tsv", separator="\t")


def test_a_run_without_hope_ends_with_the_weights_of_its_best_check(
    tmp_path: Path, write_corpus: Write, make_settings: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_corpus()
    settings = make_settings(steps=60, learning_rate=0.5, patience=3)
    result = pretrain(settings, tmp_path / "whole")
    checks = _log(tmp_path / "whole").drop_nulls("held_out_loss")
    best = checks["held_out_loss"].arg_min()
    assert best is not None
    assert result.steps == checks["step"][-1] == 2 * (best + 1 + 3) < 60

    weights = load_file(tmp_path / "whole" / "model" / "model.safetensors")

    def interrupt(line: str) -> None:
        if line.startswith(f"step {checks['step'][best] + 2}: held-out"):
            raise InterruptedError

    with pytest.raises(InterruptedError):
        pretrain(settings, tmp_path / "cut", interrupt, seconds_between_saves=0.0)
    with monkeypatch.context() as patch:
        patch.setattr("bioseq.training.run.save_model", _interrupted)
        with pytest.raises(InterruptedError):
            pretrain(settings, tmp_path / "cut", lambda line: None)
    lines: list[str] = []
    assert pretrain(settings, tmp_path / "cut", lines.append).steps == result.steps
    assert not any(line.startswith("step") for line in lines), "the run had ended"
    for name, tensor in load_file(tmp_path / "cut" / "model" / "model.safetensors").items():
        assert torch.equal(tensor, weights[name]), name
    assert _log(tmp_path / "cut").equals(_log(tmp_path / "whole"))

    model = build_language_model(settings, TOKENIZER)
    loaded = load_model(tmp_path / "cut" / "model")
    model.encoder.load_state_dict(loaded.encoder.state_dict())
    assert loaded.head is not None
    model.head.load_state_dict(loaded.head.state_dict())
    split = load_split(settings, tmp_path / "cut" / "split.tsv")
    watched = held_out_batches(split.valid, TOKENIZER, settings)
    assert held_out_loss(model, watched) == pytest.approx(checks["held_out_loss"].min(), abs=1e-5)


def _interrupted(*arguments: object, **options: object) -> None:
    raise InterruptedError


def test_tensorboard_shows_what_the_log_shows(
    tmp_path: Path, write_corpus: Write, make_settings: Make
) -> None:
    from tensorboardX.proto.event_pb2 import Event  # pyright: ignore

    write_corpus()
    settings = replace(make_settings(steps=6), run=RunSettings(tensorboard=True))
    pretrain(settings, tmp_path / "run")
    [path] = (tmp_path / "run" / "tensorboard").iterdir()
    rows = {name: {} for name in ("loss", "held_out_loss")}
    data, at = path.read_bytes(), 0
    while at < len(data):
        size = int.from_bytes(data[at : at + 8], "little")
        event = Event.FromString(data[at + 12 : at + 12 + size])
        for value in event.summary.value:
            rows[value.tag][event.step] = value.simple_value
        at += 16 + size
    log = _log(tmp_path / "run")
    for name, found in rows.items():
        written = log.drop_nulls(name)
        assert list(found) == written["step"].to_list() == [2, 4, 6]
        assert list(found.values()) == pytest.approx(written[name].to_list(), abs=1e-6)


def test_without_tensorboardx_the_extra_is_named(
    tmp_path: Path, write_corpus: Write, make_settings: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_corpus()
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    settings = replace(make_settings(steps=6), run=RunSettings(tensorboard=True))
    with pytest.raises(MissingDependencyError, match=r"tensorboardX.*bioseq\[train\]"):
        pretrain(settings, tmp_path / "run")
