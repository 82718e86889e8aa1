"""A tiny corpus and tiny settings."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bioseq.training import DataSettings, ObjectiveSettings, OptimizerSettings, TrainingSettings

LETTERS = {"protein": "ACDEFGHIKLMNPQRSTVWY", "dna": "ACGT", "rna": "ACGU"}
ENCODER = {
    "architecture": "recurrent",
    "embedding_dim": 8,
    "hidden_dim": 8,
    "num_layers": 1,
    "cell": "gru",
    "direction": "independent",
}

INTERVALS = ("2", "5")
"""Steps between lines and, in pre-training, between checks."""

Mutate = Callable[[str, float], str]


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture
def draw_sequence(rng: np.random.Generator) -> Callable[..., str]:
    def draw_sequence(length: int, molecule: str = "protein") -> str:
        return "".join(rng.choice(list(LETTERS[molecule]), length))

    return draw_sequence


@pytest.fixture
def mutate(rng: np.random.Generator) -> Callable[..., str]:
    """A copy in which exactly the given share of the symbols is unchanged."""

    def mutate(sequence: str, identity: float, molecule: str = "protein") -> str:
        letters, copy = LETTERS[molecule], list(sequence)
        count = round(len(copy) * (1 - identity))
        for place in rng.choice(len(copy), count, replace=False):
            copy[place] = rng.choice([x for x in letters if x != copy[place]])
        return "".join(copy)

    return mutate


@pytest.fixture
def write_corpus(tmp_path: Path, draw_sequence: Callable[..., str]) -> Callable[..., Path]:
    """A FASTA file of 40 sequences whose descriptions name their part."""

    def write_corpus(molecule: str = "protein") -> Path:
        parts = ["train"] * 30 + ["valid"] * 5 + ["test"] * 5
        path = tmp_path / "corpus.fasta"
        with path.open("w") as file:
            for number, part in enumerate(parts):
                sequence = draw_sequence(10 + number, molecule)
                file.write(f">s{number} made up {part}\n{sequence}\n")
        return path

    return write_corpus


@pytest.fixture
def make_settings(tmp_path: Path) -> Callable[..., TrainingSettings]:
    def make_settings(
        *,
        kind: Any = "cloze",
        encoder: dict[str, Any] | None = None,
        data: dict[str, Any] | None = None,
        **optimizer: Any,
    ) -> TrainingSettings:
        fitting = {"steps": 12, "tokens_per_batch": 200, "warmup_steps": 3, **optimizer}
        table = {"sequences": "corpus.fasta", "split": "description", "crop": 30, **(data or {})}
        return TrainingSettings(
            data=DataSettings(**table),
            encoder=encoder
            if encoder and "architecture" in encoder
            else {**ENCODER, **(encoder or {})},
            objective=ObjectiveSettings(kind=kind),
            optimizer=OptimizerSettings(**fitting),
            folder=tmp_path,
        )

    return make_settings


@pytest.fixture
def train_apart() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Trains in processes of their own; Lightning or the launcher starts the others."""

    def train_apart(
        settings: Path, folder: Path, *, kill_at_save: int = 0, launcher: tuple[str, ...] = ()
    ) -> subprocess.CompletedProcess[str]:
        worker = Path(__file__).with_name("worker.py")
        # The nodes of the cluster are this machine, and their names are known to SLURM alone.
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "MASTER_ADDR": "127.0.0.1"}
        arguments = [worker, settings, folder, str(kill_at_save), *INTERVALS]
        start = [*(launcher or [sys.executable]), *arguments]
        return subprocess.run(start, capture_output=True, text=True, check=False, env=environment)

    return train_apart


@pytest.fixture
def torchrun() -> tuple[str, ...]:
    """What starts two processes from outside."""
    options = ("--standalone", "--nproc-per-node", "2")
    return (sys.executable, "-m", "torch.distributed.run", *options)
