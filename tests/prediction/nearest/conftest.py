"""A reference of a few embedded proteins with labels."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from bioseq.embedding import EmbedOptions, embed_files

LETTERS = list("ACDEFGHIKLMNPQRSTVWY")


def draw(count: int, seed: int) -> list[str]:
    rng = np.random.default_rng(seed)
    return ["".join(rng.choice(LETTERS, rng.integers(5, 30))) for _ in range(count)]


def write_fasta(path: Path, sequences: list[str], prefix: str) -> Path:
    path.write_text("".join(f">{prefix}{i}\n{s}\n" for i, s in enumerate(sequences)))
    return path


@pytest.fixture
def sequences() -> list[str]:
    return draw(30, 0)


@pytest.fixture
def labels(tmp_path: Path, sequences: list[str]) -> Path:
    """Classes and values for all but the last record; half of the rows are of `train`."""
    path = tmp_path / "labels.csv"
    rng = np.random.default_rng(1)
    count = len(sequences) - 1
    table = {
        "id": [f"r{i}" for i in range(count)],
        "place": rng.choice(["inside", "outside", "across"], count).tolist(),
        "heat": rng.normal(size=count).tolist(),
        "split": ["train", "test"] * (count // 2) + ["train"] * (count % 2),
    }
    pl.DataFrame(table).write_csv(path)
    return path


@pytest.fixture
def reference(tmp_path: Path, sequences: list[str], tiny_lstm: Path) -> Callable[..., Path]:
    def embed(**options: Any) -> Path:
        fasta = write_fasta(tmp_path / "reference.fasta", sequences, "r")
        path = tmp_path / "reference.h5"
        embed_files(fasta, path, EmbedOptions(model=tiny_lstm, **options)).close()
        return path

    return embed
