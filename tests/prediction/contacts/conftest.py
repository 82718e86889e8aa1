"""What the tests of contact prediction share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

RESIDUES = np.array(list("ACDEFGHIKLMNPQRSTVWY"))


@pytest.fixture(scope="session")
def write_alignment() -> Callable[..., Path]:
    """Writes a random family in which the first and the last residue always go together."""

    def write(path: Path, *, depth: int = 60, length: int = 12, seed: int = 0) -> Path:
        rng = np.random.default_rng(seed)
        rows = rng.choice(RESIDUES[:6], (depth, length))
        rows[:, -1] = rows[:, 0]
        lines = [f">r{number} row\n{''.join(row)}\n" for number, row in enumerate(rows)]
        path.write_text("".join(lines))
        return path

    return write


@pytest.fixture
def folder(tmp_path: Path, write_alignment: Callable[..., Path]) -> Path:
    """A folder of eleven families, more than one block."""
    folder = tmp_path / "families"
    folder.mkdir()
    for number in range(11):
        write_alignment(folder / f"f{number:02d}.a3m", length=8 + number, seed=number)
    return folder
