"""safetensors files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError, safe_open

from bioseq.checkpoints.weights.source import Weights
from bioseq.errors import CheckpointError


@contextmanager
def open_safetensors(path: Path) -> Iterator[Weights]:
    """Opens a file, memory-mapped.

    Raises:
        CheckpointError: it is damaged, cut short or of another format.
    """
    try:
        file = safe_open(path, framework="pt")
    except SafetensorError as error:
        raise CheckpointError(path, f"damaged or not safetensors ({error}); get it again") from None
    with file:
        yield Weights(
            path=path,
            names=frozenset(file.keys()),
            read=file.get_tensor,
            metadata=file.metadata() or {},
        )
