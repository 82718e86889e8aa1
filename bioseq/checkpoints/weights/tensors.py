"""safetensors files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError, safe_open
from torch import Tensor

from bioseq.checkpoints.weights.source import Weights
from bioseq.errors import CheckpointError


@contextmanager
def open_safetensors(path: Path) -> Iterator[Weights]:
    """Opens a file, memory-mapped.

    Raises:
        CheckpointError: it is damaged, cut short or of another format.
    """
    try:
        with safe_open(path, framework="pt") as file:
            names, metadata = frozenset(file.keys()), file.metadata() or {}
    except SafetensorError as error:
        raise CheckpointError(path, f"damaged or not safetensors ({error}); get it again") from None

    def read(name: str) -> Tensor:
        # A mapping for each tensor: one for all would keep every page that was read in memory.
        with safe_open(path, framework="pt") as file:
            return file.get_tensor(name)

    yield Weights(path=path, names=names, read=read, metadata=metadata)
