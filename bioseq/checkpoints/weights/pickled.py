"""PyTorch's own files (`.pt`, `.pth`, `.bin`), opened without running what is pickled in them."""

from __future__ import annotations

import pickle
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from bioseq.checkpoints.weights.settings import HARMLESS, to_plain
from bioseq.checkpoints.weights.source import Weights
from bioseq.errors import CheckpointError

# Where training programs put the tensors, from the outside in.
_WRAPPERS = ("model", "state_dict", "module", "ema", "params")


@contextmanager
def open_pickled(path: Path) -> Iterator[Weights]:
    """Opens a file, memory-mapped where its format permits; the tensors may lie within wrappers.

    Raises:
        CheckpointError: it is damaged, cut short, without tensors, or holds more than plain data.
    """
    tensors, metadata = _unwrap(_load(path), path)
    yield Weights(path=path, names=frozenset(tensors), read=tensors.__getitem__, metadata=metadata)


def _load(path: Path) -> Any:
    try:
        with torch.serialization.safe_globals(list(HARMLESS)), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of an unusual pickle; it is read or refused
            is_zip = zipfile.is_zipfile(path)
            return torch.load(path, map_location="cpu", weights_only=True, mmap=is_zip)
    except pickle.UnpicklingError as error:
        problem = f"holds more than tensors and plain data; not opened ({_first_line(error)})"
        raise CheckpointError(path, problem) from None
    except (RuntimeError, EOFError, OSError, ValueError, KeyError) as error:
        problem = f"damaged or cut short ({_first_line(error)}); get it again"
        raise CheckpointError(path, problem) from None


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]


def _unwrap(loaded: Any, path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Returns the tensors within the innermost wrapper, and what lies beside them."""
    metadata: dict[str, Any] = {}
    while isinstance(loaded, Mapping):
        wrapper = next((k for k in _WRAPPERS if isinstance(loaded.get(k), Mapping)), None)
        if wrapper is None:
            break
        metadata |= {k: to_plain(v) for k, v in loaded.items() if k != wrapper}
        loaded = loaded[wrapper]
    if not isinstance(loaded, Mapping):
        raise CheckpointError(path, f"holds a {type(loaded).__name__}, not named tensors")
    tensors = {k: v for k, v in loaded.items() if isinstance(v, Tensor)}
    if not tensors:
        raise CheckpointError(path, "holds no tensors")
    return tensors, metadata
