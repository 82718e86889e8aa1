"""Predictors of several processes, and of steps taken in parts, are predictors of one process."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from safetensors.torch import load_file

from bioseq.checkpoints import save_model
from bioseq.errors import OptionError
from bioseq.heads import HeadConfig, build_head
from bioseq.labels.target import level_widths
from bioseq.models import build_encoder
from bioseq.tokenizer import build_residue_tokenizer
from bioseq.training import RunSettings, training_log
from bioseq.training.predictor import load_predictor_settings, train_predictor
from bioseq.training.predictor.dataset import label_states
from bioseq.training.predictor.encoder import open_state_source
from bioseq.training.predictor.epochs import schedule_epochs
from bioseq.training.predictor.fit import HeadFitting
from bioseq.training.predictor.settings import PredictorSettings
from bioseq.training.predictor.table import load_table
from bioseq.training.steps import Step

Write = Callable[..., Path]
Apart = Callable[..., subprocess.CompletedProcess[str]]

MEETING = {"level": "pair", "kind": "classes", "classes": ["none", "A and G"]}
ENCODERS = {
    "frozen": 'model = "one-hot-protein"\nlayers = [0]',
    # The second layer is trained, and nothing reads it.
    "full": 'model = "small"\ntrain = "full"\nlayers = [0]',
    "lora": 'model = "small"\ntrain = "lora"\nlayers = [0, 1]',
}


def quiet(_: str) -> None:
    pass


@pytest.fixture(autouse=True)
def _report_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_log, "STEPS_BETWEEN_LINES", 2)


@pytest.fixture
def write_settings(write_toy: Write, tmp_path: Path) -> Write:
    """What follows an A is H, a G is E, all else C, where it is known; K is charged; A meets G."""
    rng = np.random.default_rng(0)
    states = {"A": "H", "G": "E"}
    sequences = ["".join(rng.choice(list("AGLKV"), 20 + i % 25)) for i in range(60)]
    after = ["".join(states.get(x, "C") for x in f" {s}"[:-1]) for s in sequences]
    charge = [",".join(str(float(x == "K")) for x in s) for s in sequences]
    after[::3] = ["?" * len(text) for text in after[::3]]
    meeting = [
        " ".join(
            f"{i + 1}-{j + 1}"
            for i, j in zip(*np.triu_indices(len(s), 6), strict=True)
            if {s[i], s[j]} == {"A", "G"}
        )
        for s in sequences
    ]
    table = {"sequence": sequences, "after": after, "charge": charge, "meeting": meeting}
    pl.DataFrame(table).write_csv(tmp_path / "labels.csv")
    torch.manual_seed(5)
    tokenizer = build_residue_tokenizer("protein")
    config = {
        "architecture": "recurrent",
        "embedding_dim": 8,
        "hidden_dim": 8,
        "num_layers": 2,
        "cell": "lstm",
        "direction": "bidirectional",
        "vocabulary_size": len(tokenizer.vocabulary),
    }
    encoder = build_encoder(config)
    save_model(tmp_path / "small", encoder=encoder, tokenizer=tokenizer, head=None, objective=None)

    def write_settings(encoder: str = "frozen", *, members: int = 1, **run: int) -> Path:
        table = ENCODERS[encoder].replace("small", str(tmp_path / "small"))
        return write_toy(
            "after",
            "charge",
            targets={"meeting": MEETING},
            encoder=table,
            head={"kind": "convolution", "dim": 8, "kernel": 3, "dilations": [1]},
            optimizer={"epochs": 4, "steps": 14, "patience": 4, "members": members},
            run=run,
        )

    return write_settings


def _weights(folder: Path) -> dict[str, torch.Tensor]:
    """Of heads and encoder, not the directions of their states, some of which are rounding only."""
    files = sorted((folder / "predictor").glob("**/model.safetensors"))
    found = {f"{file.parent.name}.{n}": w for file in files for n, w in load_file(file).items()}
    return {name: weight for name, weight in found.items() if "typicality" not in name}


def _assert_close_runs(folder: Path, other: Path) -> None:
    ours, theirs = _weights(folder), _weights(other)
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)
    logs = sorted(file.relative_to(folder) for file in folder.glob("**/log.tsv"))
    assert logs
    for log in logs:
        tables = [
            pl.read_csv(f / log, separator="\t").fill_null(0).to_torch() for f in (folder, other)
        ]
        torch.testing.assert_close(tables[0], tables[1], rtol=1e-5, atol=1e-5)


def _fitting(settings: PredictorSettings, folder: Path) -> HeadFitting:
    table = load_table(settings)
    with open_state_source(
        settings.encoder, table, folder / "states.h5", molecule="protein", seed=0
    ) as source:
        optimizer = settings.optimizer
        residues = optimizer.residues_per_batch
        labelled = label_states(source.states, table, settings.targets, residues)
    config = HeadConfig(
        kind="convolution",
        outputs=level_widths(labelled.targets),
        input_dim=source.states.dim,
        dropout=0.0,
    )
    torch.manual_seed(0)
    by_length = settings.encoder.is_trained
    epochs = schedule_epochs(optimizer, table, 0, by_length=by_length)
    return HeadFitting(build_head(config), labelled, epochs, optimizer)


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_the_parts_of_a_step_cost_what_the_step_costs(
    write_settings: Write, tmp_path: Path, count: int
) -> None:
    fitting = _fitting(load_predictor_settings(write_settings("full")), tmp_path)
    batch = fitting.labelled.table.members("train")[:5]
    weights = [p for p in fitting.parameters() if p.requires_grad]

    def cost(part: int, parts: int) -> tuple[torch.Tensor, list[torch.Tensor]]:
        loss = fitting.training_step(Step(number=3, batch=batch, part=part, parts=parts), 0)
        found = torch.autograd.grad(loss, weights, allow_unused=True, materialize_grads=True)
        return loss.detach(), list(found)

    whole, gradients = cost(0, 1)
    losses, parts = zip(*(cost(part, count) for part in range(count)), strict=True)
    torch.testing.assert_close(torch.stack(losses).mean(), whole)
    means = [torch.stack(each).mean(dim=0) for each in zip(*parts, strict=True)]
    torch.testing.assert_close(means, gradients, rtol=1e-4, atol=1e-6)
    assert whole > 0


@pytest.mark.parametrize("encoder", ENCODERS)
def test_accumulation_changes_nothing_and_may_change_between_interruptions(
    write_settings: Write, tmp_path: Path, encoder: str
) -> None:
    settings = load_predictor_settings(write_settings(encoder))
    train_predictor(settings, tmp_path / "whole", quiet)
    in_two, in_three = (replace(settings, run=RunSettings(accumulation=n)) for n in (2, 3))
    train_predictor(in_two, tmp_path / "two", quiet)
    _assert_close_runs(tmp_path / "two", tmp_path / "whole")

    def interrupt(line: str) -> None:
        if line.startswith("step 6 of"):
            raise InterruptedError

    with pytest.raises(InterruptedError):
        train_predictor(in_three, tmp_path / "changed", interrupt, seconds_between_saves=0.0)
    train_predictor(in_two, tmp_path / "changed", quiet)
    _assert_close_runs(tmp_path / "changed", tmp_path / "whole")


@pytest.mark.slow
@pytest.mark.parametrize(("encoder", "members"), [("frozen", 2), ("full", 1), ("lora", 1)])
def test_two_processes_train_as_one(
    write_settings: Write, train_apart: Apart, tmp_path: Path, encoder: str, members: int
) -> None:
    settings = load_predictor_settings(write_settings(encoder, members=members))
    train_predictor(settings, tmp_path / "one", quiet)
    two = write_settings(encoder, members=members, devices=2, accumulation=2)
    done = train_apart(two, tmp_path / "two")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("held out resemble") == 1, "the first process alone reports"
    assert done.stdout.count("step 14 of 14") == members
    _assert_close_runs(tmp_path / "two", tmp_path / "one")
    results = [json.loads((tmp_path / n / "result.json").read_text()) for n in ("one", "two")]
    losses = [result.pop("valid_loss") for result in results]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    assert results[0] | {"folder": ""} == results[1] | {"folder": ""}


@pytest.mark.slow
@pytest.mark.parametrize("encoder", ["frozen", "full"])
def test_two_processes_that_torchrun_starts_train_as_one(
    write_settings: Write,
    train_apart: Apart,
    torchrun: tuple[str, ...],
    tmp_path: Path,
    encoder: str,
) -> None:
    train_predictor(load_predictor_settings(write_settings(encoder)), tmp_path / "one", quiet)
    settings = write_settings(encoder, devices=2)
    done = train_apart(settings, tmp_path / "two", launcher=torchrun)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("held out resemble") == 1
    _assert_close_runs(tmp_path / "two", tmp_path / "one")


@pytest.mark.slow
def test_two_processes_go_on_after_a_kill(
    write_settings: Write, train_apart: Apart, tmp_path: Path
) -> None:
    settings = write_settings("full", devices=2)
    killed = train_apart(settings, tmp_path / "cut", kill_at_save=7)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert torch.load(tmp_path / "cut" / "last.ckpt")["global_step"] == 6
    done = train_apart(settings, tmp_path / "cut")
    assert done.returncode == 0, done.stderr
    assert "step 6 of 14" not in done.stdout, "went on"
    train_predictor(load_predictor_settings(write_settings("full")), tmp_path / "one", quiet)
    _assert_close_runs(tmp_path / "cut", tmp_path / "one")


def test_devices_that_are_not_there_are_named(
    write_settings: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"NTASKS": "3", "PROCID": "0", "LOCALID": "0", "JOB_ID": "1"}.items():
        monkeypatch.setenv(f"SLURM_{name}", value)
    monkeypatch.setenv("SLURM_JOB_NAME", "train")
    settings = load_predictor_settings(write_settings(devices=2))
    with pytest.raises(OptionError, match="devices is '2 on each of 1 nodes'"):
        train_predictor(settings, tmp_path / "run", quiet)
    assert not (tmp_path / "run").exists()
