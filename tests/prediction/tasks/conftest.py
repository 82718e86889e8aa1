"""Tiny predictors of every shape on a tiny encoder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from bioseq.checkpoints import load_model
from bioseq.heads import HeadConfig, build_head
from bioseq.labels.target import level_widths
from bioseq.prediction.tasks import EncoderReference, Predictor, Target, save_predictor
from bioseq.prediction.tasks.typicality import fit_typicality
from bioseq.tokenizer import build_residue_tokenizer

RECURRENT = {
    "architecture": "recurrent",
    "embedding_dim": 6,
    "hidden_dim": 5,
    "num_layers": 2,
    "direction": "independent",
}


@pytest.fixture(scope="session")
def encoder_folder(save_tiny: Callable[..., Path]) -> Path:
    return save_tiny("tasks-lstm", build_residue_tokenizer("protein"), cell="lstm", **RECURRENT)


@pytest.fixture(scope="session")
def other_encoder(save_tiny: Callable[..., Path]) -> Path:
    return save_tiny("tasks-gru", build_residue_tokenizer("protein"), cell="gru", **RECURRENT)


@pytest.fixture(scope="session")
def dna_encoder(save_tiny: Callable[..., Path]) -> Path:
    return save_tiny("tasks-dna", build_residue_tokenizer("dna"), cell="gru", **RECURRENT)


@pytest.fixture
def make_predictor(tmp_path: Path, encoder_folder: Path) -> Callable[..., Path]:
    """Writes a predictor folder with random weights, the same ones every time."""

    def make(
        task: str,
        *,
        kind: Any = "convolution",
        level: Any = "residue",
        target: Any = "classes",
        classes: tuple[str, ...] = ("H", "E", "C"),
        first_residues: int = 0,
        sha256: str | None = None,
        encoder: Path = encoder_folder,
        more: tuple[Target, ...] = (),
        **meaning: Any,
    ) -> Path:
        model = load_model(encoder)
        first = Target(name=task, level=level, kind=target, classes=classes, **meaning)
        targets = (first, *more)
        with torch.random.fork_rng():
            torch.manual_seed(len(task))
            config = HeadConfig(
                kind=kind,
                outputs=level_widths(targets),
                input_dim=20,
                dim=8,
                pair_dim=4,
                kernel=3,
                dilations=(1, 2),
            )
            predictor = Predictor(
                task=task,
                version="7",
                encoder=EncoderReference(
                    model=str(encoder),
                    weights_sha256=sha256 or model.weights_sha256,
                    layers=(1, 2),
                    first_residues=first_residues,
                ),
                targets=targets,
                heads=[build_head(config) for _ in range(2)],
                typicality=fit_typicality(torch.randn(30, 20), torch.randn(30, 20)),
            )
        save_predictor(tmp_path / task, predictor)
        return tmp_path / task

    return make


@pytest.fixture
def proteins(tmp_path: Path) -> Path:
    """Eight records: two alike, one with a symbol that is none, one long."""
    short = ["MKVLA", "ACDEFGHIKLMNPQRSTVWY", "MKVLA", "MK?LA", "W"]
    sequences = [*short, "ACDEFGHIKL" * 12, "GG", "Y"]
    path = tmp_path / "proteins.fasta"
    path.write_text("".join(f">p{i} number {i}\n{s}\n" for i, s in enumerate(sequences)))
    return path
