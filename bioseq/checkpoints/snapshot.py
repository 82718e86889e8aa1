"""A model's files as they lie on disk: its config and its open weights."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bioseq.checkpoints.weights import (
    Weights,
    find_weights,
    open_weights,
    replace_part,
    weights_digest,
)
from bioseq.errors import CheckpointError

CONFIG_FILE = "config.json"
_CONTACTS_MARK = "contact_head."


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """The files of one model.

    Attributes:
        path: The folder or file that the user named.
        config: What `config.json` says; empty for a bare weights file.
        files: The weights files.
        weights: Their tensors.
    """

    path: Path
    config: Mapping[str, Any]
    files: tuple[Path, ...]
    weights: Weights

    @property
    def name(self) -> str:
        """Name of the folder, or of the file without its ending."""
        path = self.path.resolve()
        return path.name if path.is_dir() else path.stem

    @property
    def config_path(self) -> Path:
        """Where the settings stand, for errors."""
        return self.path / CONFIG_FILE if self.config else self.path

    @property
    def kind(self) -> str:
        """What the files call their architecture, for errors."""
        if "model_type" in self.config:
            return f"model_type {self.config['model_type']}"
        arch = getattr(self.weights.metadata.get("args"), "arch", None)
        return f"arch {arch}" if arch else "of unknown architecture"

    def digest(self) -> str:
        """Returns the sha256 of the weights."""
        return weights_digest(self.files)


@contextmanager
def open_snapshot(path: Path) -> Iterator[Snapshot]:
    """Opens a model folder with its config and weights, or a bare weights file.

    A contact head in a file of its own goes before the one in the model's file, as in fair-esm.

    Raises:
        CheckpointError: a file is missing, unreadable or damaged.
    """
    config = read_config(path) if path.is_dir() else {}
    files = find_weights(path)
    if path.is_dir() or len(files) == 1:
        with open_weights(*files) as weights:
            yield Snapshot(path=path, config=config, files=files, weights=weights)
        return
    model, contacts = files
    with open_weights(model) as main, open_weights(contacts) as part:
        weights = replace_part(main, part, mark=_CONTACTS_MARK)
        yield Snapshot(path=path, config=config, files=files, weights=weights)


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
