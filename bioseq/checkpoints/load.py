"""The one door: from a name or a path to a model."""

from __future__ import annotations

from dataclasses import replace

import torch

from bioseq.checkpoints.families import FAMILIES, read_published
from bioseq.checkpoints.model import Model
from bioseq.checkpoints.native import is_native, read_native
from bioseq.checkpoints.one_hot import make_one_hot
from bioseq.checkpoints.registry import get_entry
from bioseq.checkpoints.snapshot import Snapshot, open_snapshot
from bioseq.checkpoints.sources import find_source
from bioseq.errors import CheckpointError
from bioseq.typing import AnyPath


def load_model(name_or_path: AnyPath, *, dtype: torch.dtype = torch.float32) -> Model:
    """Loads a model, in evaluation mode.

    Args:
        name_or_path: A known name (`bioseq models list`), a repository on the Hugging Face hub
            (`owner/name`, or `owner/name@revision`), a model folder (bioseq's own, or one of a
            published family as its authors or Hugging Face lay it out) or a bare weights file.
            What is named like a bundled model or a one-hot code must be given with its path
            (`./protein-lstm`).
        dtype: Number format of the weights; a one-hot code has none, and is always float32.

    Raises:
        CheckpointError: there is no such model, it can't be had, or its files are damaged.
    """
    source = find_source(name_or_path)
    if source.path is None:
        entry = get_entry(source.name or str(name_or_path))
        return make_one_hot(entry.name, entry.molecule)
    with open_snapshot(source.path) as snapshot:
        model = _read(snapshot, name=source.name, dtype=dtype)
    return replace(model, revision=source.revision)


def _read(snapshot: Snapshot, *, name: str | None, dtype: torch.dtype) -> Model:
    if is_native(snapshot):
        return read_native(snapshot, name=name, dtype=dtype)
    for family in FAMILIES:
        if family.matches(snapshot):
            return read_published(family, snapshot, name=name, dtype=dtype)
    known = ", ".join(["bioseq's own", *(family.name for family in FAMILIES)])
    problem = f"none of the families that bioseq reads ({snapshot.kind}); these are: {known}"
    raise CheckpointError(snapshot.config_path, problem)
