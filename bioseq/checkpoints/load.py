"""The one door: from a name or a path to a model."""

from __future__ import annotations

from pathlib import Path

from bioseq.checkpoints.bundled import bundled_models
from bioseq.checkpoints.esm import is_esm, read_esm
from bioseq.checkpoints.files import read_config
from bioseq.checkpoints.model import Model
from bioseq.checkpoints.native import read_model
from bioseq.errors import CheckpointError
from bioseq.typing import AnyPath


def load_model(name_or_path: AnyPath) -> Model:
    """Loads a model, with its weights in float32 and in evaluation mode.

    Args:
        name_or_path: Name of a bundled model, or a folder: one of bioseq's own, or ESM-2 as Hugging
            Face lays it out. A folder named like a bundled model must be given with its path
            (`./protein-lstm`).

    Raises:
        CheckpointError: there is no such model, or its files are damaged.
    """
    name = str(name_or_path)
    bundled = bundled_models()
    if name in bundled:
        return read_model(bundled[name], name=name)
    folder = Path(name_or_path)
    if not folder.is_dir():
        raise CheckpointError(
            name, f"no such model; give a model folder or one of: {', '.join(bundled)}"
        )
    return read_esm(folder) if is_esm(read_config(folder)) else read_model(folder)
