"""bioseq's own model folders: `config.json` beside `model.safetensors`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import nn

from bioseq.checkpoints.files import (
    CONFIG_FILE,
    WEIGHTS_FILE,
    open_weights,
    read_config,
    weights_digest,
)
from bioseq.checkpoints.keymap import Rule, fill
from bioseq.checkpoints.model import Model, Objective
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
    head: LanguageHead,
    objective: Objective,
    dtype: torch.dtype = torch.float32,
) -> None:
    """Writes a model folder that `read_model` reads.

    Args:
        folder: Made if it is not there.
        encoder: The encoder.
        tokenizer: Its tokenizer.
        head: Its language-model head.
        objective: What both were trained on.
        dtype: Number format of the stored weights.
    """
    folder.mkdir(parents=True, exist_ok=True)
    config = {
        "format": _FORMAT,
        "format_version": _FORMAT_VERSION,
        "encoder": encoder_config(encoder),
        "tokenizer": tokenizer.to_config(),
        "objective": objective,
    }
    parts = nn.ModuleDict({"encoder": encoder, "head": head})
    weights = {name: w.detach().to(dtype).contiguous() for name, w in parts.state_dict().items()}
    save_file(weights, folder / WEIGHTS_FILE)
    (folder / CONFIG_FILE).write_text(json.dumps(config, indent=2) + "\n")


def read_model(folder: Path, *, name: str | None = None) -> Model:
    """Reads a model folder, with the weights in float32 and the encoder in evaluation mode.

    Raises:
        CheckpointError: a file is missing, damaged, or does not fit the config.
    """
    config = read_config(folder)
    _check_format(config, folder / CONFIG_FILE)
    try:
        encoder = build_encoder(config["encoder"])
        tokenizer = build_tokenizer(config["tokenizer"])
        objective = config["objective"]
        head = LanguageHead(encoder.dim, len(tokenizer.vocabulary))
    except Exception as error:  # a damaged config may hold anything, and fail anywhere
        problem = f"unusable config: {type(error).__name__}: {error}"
        raise CheckpointError(folder / CONFIG_FILE, problem) from error
    parts = nn.ModuleDict({"encoder": encoder, "head": head}).eval()
    rules = [Rule(parameter, (parameter,)) for parameter in parts.state_dict()]
    with open_weights(folder) as weights:
        fill(parts, rules, names=weights.names, read=weights.read, path=weights.path)
    return Model(
        name=name or folder.resolve().name,
        encoder=encoder,
        tokenizer=tokenizer,
        head=head,
        objective=objective,
        weights_sha256=weights_digest(folder),
    )


def _check_format(config: Mapping[str, Any], path: Path) -> None:
    if config.get("format") != _FORMAT:
        raise CheckpointError(path, f'no "format": "{_FORMAT}"; not a bioseq model')
    version = config.get("format_version")
    if version != _FORMAT_VERSION:
        problem = f"format version {version}; this bioseq reads {_FORMAT_VERSION}"
        raise CheckpointError(path, problem)
