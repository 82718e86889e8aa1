"""The two files of a model folder, with one line for everything that can be wrong with them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from torch import Tensor

from bioseq.errors import CheckpointError

CONFIG_FILE = "config.json"
WEIGHTS_FILE = "model.safetensors"


def read_config(folder: Path) -> dict[str, Any]:
    """Reads a folder's `config.json`.

    Raises:
        CheckpointError: it is missing, unreadable or not a JSON object.
    """
    path = folder / CONFIG_FILE
    try:
        config = json.loads(path.read_text())
    except FileNotFoundError:
        raise CheckpointError(folder, f"no {CONFIG_FILE}; not a model folder") from None
    except OSError as error:
        raise CheckpointError(path, f"can't be read: {error.strerror}") from None
    except ValueError as error:
        raise CheckpointError(path, f"not JSON: {error}") from None
    if not isinstance(config, dict):
        raise CheckpointError(path, "not a JSON object; not the config of a model")
    return config


@dataclass(frozen=True)
class Weights:
    """An open safetensors file.

    Attributes:
        names: Of its tensors.
        path: Of the file.
    """

    names: frozenset[str]
    path: Path
    _file: Any

    def read(self, name: str) -> Tensor:
        """Reads one tensor."""
        return self._file.get_tensor(name)


@contextmanager
def open_weights(folder: Path) -> Iterator[Weights]:
    """Opens a folder's `model.safetensors`.

    Raises:
        CheckpointError: it is missing, unreadable or damaged.
    """
    path = folder / WEIGHTS_FILE
    try:
        with safe_open(path, framework="pt") as file:
            yield Weights(frozenset(file.keys()), path, file)
    except FileNotFoundError:
        raise CheckpointError(path, "no such file; the model folder is incomplete") from None
    except OSError as error:
        raise CheckpointError(path, f"can't be read: {error}") from None
    except SafetensorError as error:
        raise CheckpointError(path, f"damaged or not safetensors ({error}); get it again") from None


def weights_digest(folder: Path) -> str:
    """Gives the sha256 of a folder's weights file."""
    with (folder / WEIGHTS_FILE).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
