"""NumPy's npz files: the parameters of AlphaFold and of UniRep."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from bioseq.checkpoints.weights.source import Weights
from bioseq.errors import CheckpointError


@contextmanager
def open_npz(path: Path) -> Iterator[Weights]:
    """Opens a file. Arrays of Python objects are refused: to read them would be to run code.

    Raises:
        CheckpointError: it is damaged or, once read, found to hold Python objects.
    """
    with np.load(path, allow_pickle=False) as file:

        def read(name: str) -> Tensor:
            try:
                return torch.from_numpy(file[name])
            except (ValueError, TypeError, EOFError, zipfile.BadZipFile, zlib.error) as error:
                problem = f"array {name} is damaged or no array of numbers ({error})"
                raise CheckpointError(path, f"{problem}; get it again") from None

        yield Weights(path=path, names=frozenset(file.files), read=read)
