"""Runs of several processes, and of steps taken in parts, are runs of one process."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import torch
from safetensors.torch import load_file

from bioseq.batch import pack
from bioseq.errors import OptionError
from bioseq.tokenizer import build_residue_tokenizer
from bioseq.training import (
    RunSettings,
    TrainingSettings,
    load_settings,
    pretrain,
    pretraining,
    training_log,
)
from bioseq.training.run import build_language_model

Make = Callable[..., TrainingSettings]
Write = Callable[..., Path]
Apart = Callable[..., subprocess.CompletedProcess[str]]

TOKENIZER = build_residue_tokenizer("protein")
RECURRENT = """
architecture = "recurrent"
embedding_dim = 8
hidden_dim = 8
num_layers = 1
cell = "gru"
direction = "{direction}"
"""
TRANSFORMER = """
architecture = "transformer"
dim = 8
num_layers = 1
num_heads = 2
feed_forward_dim = 8
mask_token = 3
"""
ENCODERS = {
    "masked": TRANSFORMER,
    "cloze": RECURRENT.format(direction="independent"),
    "next-token": RECURRENT.format(direction="forward"),
}


@pytest.fixture(autouse=True)
def _report_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_log, "STEPS_BETWEEN_LINES", 2)
    monkeypatch.setattr(pretraining, "_STEPS_BETWEEN_CHECKS", 5)


def _has_cluster() -> bool:
    """Whether `.ci/slurm-here start` has brought up its two nodes."""
    if shutil.which("sinfo") is None:
        return False
    found = subprocess.run(["sinfo", "-h", "-N", "-o", "%N"], capture_output=True, text=True)
    return found.stdout.split() == ["node1", "node2"]


def _write_settings(folder: Path, kind: str, **run: int) -> Path:
    path = folder / "settings.toml"
    path.write_text(
        f"""
[data]
sequences = "corpus.fasta"
split = "description"
crop = 30
[encoder]{ENCODERS[kind]}
[objective]
kind = "{kind}"
[optimizer]
steps = 12
tokens_per_batch = 200
warmup_steps = 3
[run]
"""
        + "\n".join(f"{name} = {value}" for name, value in run.items())
    )
    return path


def _assert_close_runs(folder: Path, other: Path) -> None:
    ours, theirs = (load_file(f / "model" / "model.safetensors") for f in (folder, other))
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-6)
    logs = [
        pl.read_csv(f / "log.tsv", separator="\t").fill_null(0).to_torch() for f in (folder, other)
    ]
    torch.testing.assert_close(logs[0], logs[1], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("kind", ["masked", "cloze", "next-token"])
@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_the_parts_of_a_step_cost_what_the_step_costs(
    make_settings: Make, kind: str, count: int
) -> None:
    encoder = {
        "masked": {
            "architecture": "transformer",
            "dim": 8,
            "num_layers": 2,
            "num_heads": 2,
            "feed_forward_dim": 8,
        },
        "cloze": {"direction": "independent"},
        "next-token": {"direction": "forward"},
    }[kind]
    model = build_language_model(make_settings(kind=kind, encoder=encoder), TOKENIZER)
    batch = pack(TOKENIZER.encode(["MKVLAWTR", "ACDEFGHIKLMNPQRSTVWY", "G", "WW"]))
    question = model.ask(batch, torch.Generator().manual_seed(1))

    def gradients(loss: torch.Tensor) -> list[torch.Tensor]:
        return list(torch.autograd.grad(loss, list(model.parameters())))

    whole = model.answer(question).loss
    parts = [
        model.answer(question.part(i, count)).loss_of(len(question.targets)) for i in range(count)
    ]
    torch.testing.assert_close(torch.stack(parts).sum(), whole)
    added = [torch.stack(each).sum(dim=0) for each in zip(*map(gradients, parts), strict=True)]
    torch.testing.assert_close(added, gradients(model.answer(question).loss))


def test_accumulation_changes_nothing_and_may_change_between_interruptions(
    tmp_path: Path, write_corpus: Write, make_settings: Make
) -> None:
    write_corpus()
    settings = make_settings()
    pretrain(settings, tmp_path / "whole")
    in_two, in_three = (replace(settings, run=RunSettings(accumulation=n)) for n in (2, 3))
    for number, cut in enumerate((in_two, in_three)):
        pretrain(cut, tmp_path / f"cut-{number}")
        _assert_close_runs(tmp_path / f"cut-{number}", tmp_path / "whole")

    def interrupt(line: str) -> None:
        if line.startswith("step 6 of"):
            raise InterruptedError

    with pytest.raises(InterruptedError):
        pretrain(in_three, tmp_path / "changed", interrupt, seconds_between_saves=0.0)
    pretrain(in_two, tmp_path / "changed")
    _assert_close_runs(tmp_path / "changed", tmp_path / "whole")


def test_a_step_counts_once_in_however_many_parts_it_is_taken(
    tmp_path: Path, write_corpus: Write, make_settings: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_corpus()
    read: list[int] = []

    class Counting(training_log.TrainingLog):
        def on_train_end(self, trainer: Any, pl_module: Any) -> None:
            read.append(self.size)

    monkeypatch.setattr("bioseq.training.trainer.TrainingLog", Counting)
    for parts in (1, 3):
        settings = replace(make_settings(steps=4), run=RunSettings(accumulation=parts))
        pretrain(settings, tmp_path / f"in-{parts}", lambda line: None)
    assert read[0] == read[1] > 0


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["masked", "cloze", "next-token"])
def test_two_processes_train_as_one(
    tmp_path: Path, write_corpus: Write, train_apart: Apart, kind: str
) -> None:
    write_corpus()
    pretrain(load_settings(_write_settings(tmp_path, kind)), tmp_path / "one")
    settings = _write_settings(tmp_path, kind, devices=2, accumulation=2)
    done = train_apart(settings, tmp_path / "two")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("30 sequences; 10 held out") == 1, "the first process alone reports"
    assert done.stdout.count("step 12 of 12") == 1
    _assert_close_runs(tmp_path / "two", tmp_path / "one")


@pytest.mark.slow
def test_two_processes_that_torchrun_starts_split_the_sequences_once(
    tmp_path: Path, write_corpus: Write, train_apart: Apart, torchrun: tuple[str, ...]
) -> None:
    write_corpus()
    pretrain(load_settings(_write_settings(tmp_path, "cloze")), tmp_path / "one")
    settings = _write_settings(tmp_path, "cloze", devices=2)
    done = train_apart(settings, tmp_path / "two", launcher=torchrun)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("30 sequences; 10 held out") == 1
    _assert_close_runs(tmp_path / "two", tmp_path / "one")


@pytest.mark.slow
@pytest.mark.slurm
@pytest.mark.skipif(not _has_cluster(), reason="no cluster of node1 and node2")
def test_two_machines_of_a_slurm_job_train_as_one_process(
    tmp_path: Path, write_corpus: Write, train_apart: Apart
) -> None:
    write_corpus()
    pretrain(load_settings(_write_settings(tmp_path, "cloze")), tmp_path / "one")
    settings = _write_settings(tmp_path, "cloze", nodes=2)
    srun = ("srun", "--nodes=2", "--ntasks-per-node=1", "--mem=1500M", "--job-name=train")
    done = train_apart(settings, tmp_path / "two", launcher=(*srun, sys.executable))
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("30 sequences; 10 held out") == 1
    _assert_close_runs(tmp_path / "two", tmp_path / "one")


@pytest.mark.slow
def test_two_processes_go_on_after_a_kill(
    tmp_path: Path, write_corpus: Write, train_apart: Apart
) -> None:
    write_corpus()
    settings = _write_settings(tmp_path, "cloze", devices=2, accumulation=2)
    killed = train_apart(settings, tmp_path / "cut", kill_at_save=7)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert torch.load(tmp_path / "cut" / "last.ckpt")["global_step"] == 6
    done = train_apart(settings, tmp_path / "cut")
    assert done.returncode == 0, done.stderr
    assert "step 4 of 12" not in done.stdout, "went on"
    pretrain(load_settings(_write_settings(tmp_path, "cloze")), tmp_path / "one")
    _assert_close_runs(tmp_path / "cut", tmp_path / "one")


def test_devices_that_are_not_there_are_named(
    tmp_path: Path, write_corpus: Write, make_settings: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_corpus()
    for name, value in {"NTASKS": "3", "PROCID": "0", "LOCALID": "0", "JOB_ID": "1"}.items():
        monkeypatch.setenv(f"SLURM_{name}", value)
    monkeypatch.setenv("SLURM_JOB_NAME", "train")
    settings: Any = replace(make_settings(), run=RunSettings(devices=2))
    with pytest.raises(OptionError, match="devices is '2 on each of 1 nodes'"):
        pretrain(settings, tmp_path / "run")
    assert not (tmp_path / "run").exists()
