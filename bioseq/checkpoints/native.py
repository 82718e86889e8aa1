"""bioseq's own model folders: `config.json` beside `model.safetensors`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from bioseq.checkpoints.keymap import Rule, fill
from bioseq.checkpoints.model import Model, Objective
from bioseq.checkpoints.skeleton import without_weights
from bioseq.checkpoints.snapshot import Snapshot
from bioseq.checkpoints.write import write_folder
from bioseq.errors import CheckpointError
from bioseq.heads import LanguageHead
from bioseq.models import Encoder, build_encoder, encoder_config
from bioseq.tokenizer import Tokenizer, build_tokenizer

_FORMAT = "bioseq-model"
_FORMAT_VERSION = 1


def save_model(
    folder: Path,
    *,
    encoder: Encoder,
    tokenizer: Tokenizer,
    head: LanguageHead | None,
    objective: Objective | None,
    dtype: torch.dtype = torch.float32,
) -> None:
    """Writes a model folder that `load_model` reads.

    Args:
        folder: Made if it is not there.
        encoder: The encoder.
        tokenizer: Its tokenizer.
        head: Its language-model head; None for none.
        objective: What both were trained on; None without a head.
        dtype: Number format of the stored weights.
    """
    config = {
        "format": _FORMAT,
        "format_version": _FORMAT_VERSION,
        "encoder": encoder_config(encoder),
        "tokenizer": tokenizer.to_config(),
        "objective": objective,
    }
    parts = _join(encoder, head)
    write_folder(folder, config, {name: w.to(dtype) for name, w in parts.state_dict().items()})


def is_native(snapshot: Snapshot) -> bool:
    """Returns whether a snapshot is one of bioseq's own."""
    return snapshot.config.get("format") == _FORMAT


def read_native(
    snapshot: Snapshot, *, name: str | None = None, dtype: torch.dtype = torch.float32
) -> Model:
    """Reads a model folder that `save_model` wrote, in evaluation mode.

    Args:
        snapshot: The folder's files.
        name: What the user asked for; the folder's own name by default.
        dtype: Number format of the weights.

    Raises:
        CheckpointError: a file is damaged or does not fit the config.
    """
    config = snapshot.config
    _check_version(config, snapshot.config_path)
    try:
        with without_weights():
            encoder = build_encoder(config["encoder"])
            tokenizer = build_tokenizer(config["tokenizer"])
            objective = config["objective"]
            head = LanguageHead(encoder.dim, len(tokenizer.vocabulary)) if objective else None
    except Exception as error:  # a damaged config may hold anything, and fail anywhere
        problem = f"unusable config: {type(error).__name__}: {error}"
        raise CheckpointError(snapshot.config_path, problem) from error
    parts = _join(encoder, head).eval()
    rules = [Rule(parameter, (parameter,)) for parameter in parts.state_dict()]
    fill(parts, rules, snapshot.weights, dtype=dtype)
    return Model(
        name=name or snapshot.name,
        encoder=encoder,
        tokenizer=tokenizer,
        head=head,
        objective=objective,
        weights_sha256=snapshot.digest(),
    )


def _join(encoder: Encoder, head: LanguageHead | None) -> nn.ModuleDict:
    return nn.ModuleDict(
        {"encoder": encoder} if head is None else {"encoder": encoder, "head": head}
    )


def _check_version(config: Mapping[str, Any], path: Path) -> None:
    version = config.get("format_version")
    if version != _FORMAT_VERSION:
        problem = f"format version {version}; this bioseq reads {_FORMAT_VERSION}"
        raise CheckpointError(path, problem)
