"""Room for one long sequence's states: in memory while small, in a mapped temporary file beyond."""

from __future__ import annotations

import tempfile
from pathlib import Path

import torch
from torch import Tensor

IN_MEMORY_BYTES = 512 * 2**20


def scratch(rows: int, dim: int, dtype: torch.dtype) -> Tensor:
    """Returns an uninitialised `[rows, dim]` tensor on the CPU.

    Above `IN_MEMORY_BYTES` it is backed by a temporary file that disappears with it, so that the
    resident memory does not grow with the sequence.
    """
    if rows * dim * dtype.itemsize <= IN_MEMORY_BYTES:
        return torch.empty(rows, dim, dtype=dtype)
    with tempfile.NamedTemporaryFile(delete=False) as file:
        path = Path(file.name)
    try:
        mapped = torch.from_file(str(path), shared=True, size=rows * dim, dtype=dtype)
    finally:
        path.unlink()
    return mapped.view(rows, dim)
