"""Whole runs: interrupted, resumed, repeated, refused."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from bioseq.checkpoints import load_model
from bioseq.errors import FingerprintError, InputError, MissingDependencyError
from bioseq.training import TrainingSettings, load_settings, pretrain, pretraining, training_log

Make = Callable[..., TrainingSettings]
Write = Callable[..., Path]
Apart = Callable[..., subprocess.CompletedProcess[str]]

SETTINGS = """
[data]
sequences = "corpus.fasta"
split = "description"
crop = 30
[encoder]
architecture = "recurrent"
embedding_dim = 8
hidden_dim = 8
num_layers = 1
cell = "gru"
direction = "independent"
[objective]
kind = "cloze"
[optimizer]
steps = 12
tokens_per_batch = 200
warmup_steps = 3
"""
TRANSFORMER = {
    "architecture": "transformer",
    "dim": 8,
    "num_layers": 1,
    "num_heads": 2,
    "feed_forward_dim": 8,
    "mask_token": 3,
}


class _PowerLossError(Exception):
    pass


@pytest.fixture(autouse=True)
def _report_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_log, "STEPS_BETWEEN_LINES", 2)
    monkeypatch.setattr(pretraining, "_STEPS_BETWEEN_CHECKS", 5)


def _weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "model" / "model.safetensors")


def _assert_same_run(folder: Path, other: Path) -> None:
    """Same weights to the last bit, same figures, same log."""
    ours, theirs = _weights(folder), _weights(other)
    assert ours.keys() == theirs.keys()
    for name, tensor in ours.items():
        assert torch.equal(tensor, theirs[name]), name
    results = [json.loads((each / "result.json").read_text()) for each in (folder, other)]
    assert results[0] | {"folder": ""} == results[1] | {"folder": ""}
    assert (folder / "log.tsv").read_text() == (other / "log.tsv").read_text()


def _interrupt_at(step: int) -> Callable[[str], None]:
    def report(line: str) -> None:
        if line.startswith(f"step {step} of"):
            raise _PowerLossError

    return report


@pytest.mark.parametrize(
    ("kind", "encoder"),
    [("cloze", None), ("next-token", {"direction": "forward"}), ("masked", TRANSFORMER)],
)
def test_an_interrupted_run_ends_as_an_uninterrupted_one(
    tmp_path: Path, write_corpus: Write, make_settings: Make, kind: str, encoder: Any
) -> None:
    write_corpus()
    settings = make_settings(kind=kind, encoder=encoder)
    pretrain(settings, tmp_path / "whole")
    for step in (2, 8):
        with pytest.raises(_PowerLossError):
            pretrain(settings, tmp_path / "cut", _interrupt_at(step), seconds_between_saves=0.0)
        assert (tmp_path / "cut" / "last.ckpt").exists()
    lines: list[str] = []
    pretrain(settings, tmp_path / "cut", lines.append)
    assert not any(line.startswith(("step 2 of", "step 6 of")) for line in lines), "went on"
    _assert_same_run(tmp_path / "cut", tmp_path / "whole")


def test_a_run_killed_while_it_saves_goes_on_from_the_save_before(
    tmp_path: Path, write_corpus: Write, train_apart: Apart
) -> None:
    write_corpus()
    (tmp_path / "settings.toml").write_text(SETTINGS)
    killed = train_apart(tmp_path / "settings.toml", tmp_path / "cut", kill_at_save=7)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert any(path.name.startswith(".last.ckpt.tmp") for path in (tmp_path / "cut").iterdir())
    checkpoint = torch.load(tmp_path / "cut" / "last.ckpt")
    assert checkpoint["global_step"] == 6

    settings = load_settings(tmp_path / "settings.toml")
    pretrain(settings, tmp_path / "cut")
    pretrain(settings, tmp_path / "whole")
    _assert_same_run(tmp_path / "cut", tmp_path / "whole")
    assert not any(path.name.startswith(".") for path in (tmp_path / "cut").iterdir())


def test_a_run_cut_off_before_its_result_only_finishes(
    tmp_path: Path, write_corpus: Write, make_settings: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_corpus()
    settings = make_settings()
    pretrain(settings, tmp_path / "whole")

    def lose_power(*_: object, **__: object) -> None:
        raise _PowerLossError

    with monkeypatch.context() as patch:
        patch.setattr("bioseq.training.run.save_model", lose_power)
        with pytest.raises(_PowerLossError):
            pretrain(settings, tmp_path / "cut")
    lines: list[str] = []
    pretrain(settings, tmp_path / "cut", lines.append)
    assert not any(line.startswith("step") for line in lines)
    _assert_same_run(tmp_path / "cut", tmp_path / "whole")


def test_a_finished_run_gives_its_result_at_once(
    tmp_path: Path, write_corpus: Write, make_settings: Make
) -> None:
    write_corpus()
    settings = make_settings(steps=3)
    first = pretrain(settings, tmp_path / "run")
    (tmp_path / "run").rename(tmp_path / "moved")
    lines: list[str] = []
    again = pretrain(settings, tmp_path / "moved", lines.append)
    assert again == replace(first, folder=str(tmp_path / "moved" / "model"))
    assert len(lines) == 1
    assert "already finished" in lines[0]


def test_other_settings_or_sequences_are_refused_by_name(
    tmp_path: Path, write_corpus: Write, make_settings: Make
) -> None:
    corpus = write_corpus()
    settings = make_settings(steps=3)
    pretrain(settings, tmp_path / "run")
    other = make_settings(steps=4, seed=1, encoder={"hidden_dim": 9})
    with pytest.raises(FingerprintError) as caught:
        pretrain(other, tmp_path / "run")
    assert caught.value.differences == {
        "encoder.hidden_dim": (8, 9),
        "optimizer.seed": (0, 1),
        "optimizer.steps": (3, 4),
    }
    with corpus.open("a") as file:
        file.write(">more train\nMKV\n")
    with pytest.raises(FingerprintError, match=r"data.sequences_sha256 was"):
        pretrain(settings, tmp_path / "run")


def test_a_run_learns_and_its_model_loads(
    tmp_path: Path, write_corpus: Write, make_settings: Make
) -> None:
    corpus = write_corpus()
    text = "".join(
        f">s{n} {part}\n{'ACDEFGHIKL'[n % 10 :] + 'ACDEFGHIKL' * 4}\n"
        for n, part in enumerate(["train"] * 30 + ["valid", "test"] * 5)
    )
    corpus.write_text(text)
    settings = make_settings(steps=80, learning_rate=0.05)
    result = pretrain(settings, tmp_path / "run")
    assert result.test_perplexity < 1.5 < 9 < result.unigram_perplexity < 11
    assert (result.train_sequences, result.valid_sequences, result.test_sequences) == (30, 5, 5)
    assert result.leaks == 10
    model = load_model(Path(result.folder))
    assert model.objective == "cloze"
    assert model.encoder.config.hidden_dim == 8
    assert sum(w.numel() for w in _weights(tmp_path / "run").values()) == result.parameters


@pytest.mark.parametrize("molecule", ["dna", "rna"])
@pytest.mark.parametrize("split", ["description", "cluster"])
def test_nucleotides_train_too(
    tmp_path: Path, write_corpus: Write, make_settings: Make, molecule: str, split: str
) -> None:
    corpus = write_corpus(molecule)
    corpus.write_text(corpus.read_text().replace("\nA", "\nn"))
    data = {"molecule": molecule, "split": split, "held_out": 0.3}
    result = pretrain(make_settings(steps=3, data=data), tmp_path / "run")
    counts = (result.train_sequences, result.valid_sequences, result.test_sequences)
    assert sum(counts) == 40
    assert result.unigram_perplexity < 6
    model = load_model(Path(result.folder))
    assert model.tokenizer.alphabet.molecule == molecule


def test_a_slurm_job_around_the_run_changes_nothing(
    tmp_path: Path, write_corpus: Write, make_settings: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_corpus()
    for name, value in {"NTASKS": "4", "PROCID": "3", "LOCALID": "3", "JOB_ID": "1"}.items():
        monkeypatch.setenv(f"SLURM_{name}", value)
    monkeypatch.setenv("SLURM_JOB_NAME", "train")
    result = pretrain(make_settings(steps=3, precision="bfloat16"), tmp_path / "run")
    assert result.steps == 3


def test_missing_sequences_are_named(tmp_path: Path, make_settings: Make) -> None:
    with pytest.raises(InputError, match=r"corpus.fasta: No such file"):
        pretrain(make_settings(), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_without_lightning_the_extra_is_named(
    tmp_path: Path, write_corpus: Write, make_settings: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_corpus()
    for name in ("pretraining", "trainer"):
        monkeypatch.delitem(sys.modules, f"bioseq.training.{name}")
    monkeypatch.setitem(sys.modules, "lightning", None)
    with pytest.raises(MissingDependencyError, match=r"bioseq\[train\]"):
        pretrain(make_settings(), tmp_path / "run")
