"""What the tests of structure prediction share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

RESIDUES = np.array(list("ACDEFGHIKLMNPQRSTVWY"))


@pytest.fixture(scope="session")
def write_alignment() -> Callable[..., Path]:
    """Writes a random family."""

    def write(path: Path, *, depth: int, length: int = 12) -> Path:
        rows = np.random.default_rng(0).choice(RESIDUES, (depth, length))
        path.write_text("".join(f">r{k}\n{''.join(row)}\n" for k, row in enumerate(rows)))
        return path

    return write
