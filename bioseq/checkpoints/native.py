"""bioseq's own model folders: `config.json` beside `model.safetensors`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from bioseq.checkpoints.model import Model, Objective
from bioseq.errors import CheckpointError
from bioseq.heads import LanguageHead
from bioseq.models import Encoder, build_encoder, encoder_config
from bioseq.tokenizer import Tokenizer, build_tokenizer

CONFIG_FILE = "config.json"
WEIGHTS_FILE = "model.safetensors"
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
    config = _read_config(folder)
    try:
        encoder = build_encoder(config["encoder"])
        tokenizer = build_tokenizer(config["tokenizer"])
        objective = config["objective"]
        head = LanguageHead(encoder.dim, len(tokenizer.vocabulary))
    except Exception as error:  # a damaged config may hold anything, and fail anywhere
        problem = f"unusable config: {type(error).__name__}: {error}"
        raise CheckpointError(folder / CONFIG_FILE, problem) from error
    parts = nn.ModuleDict({"encoder": encoder, "head": head}).eval()
    _fill(parts, folder / WEIGHTS_FILE)
    return Model(
        name=name or folder.resolve().name,
        encoder=encoder,
        tokenizer=tokenizer,
        head=head,
        objective=objective,
        weights_sha256=_sha256(folder / WEIGHTS_FILE),
    )


def _read_config(folder: Path) -> Mapping[str, Any]:
    path = folder / CONFIG_FILE
    try:
        config = json.loads(path.read_text())
    except FileNotFoundError:
        raise CheckpointError(folder, f"no {CONFIG_FILE}; not a bioseq model folder") from None
    except OSError as error:
        raise CheckpointError(path, f"can't be read: {error.strerror}") from None
    except ValueError as error:
        raise CheckpointError(path, f"not JSON: {error}") from None
    if not isinstance(config, dict) or config.get("format") != _FORMAT:
        raise CheckpointError(path, f'no "format": "{_FORMAT}"; not a bioseq model')
    if config.get("format_version") != _FORMAT_VERSION:
        raise CheckpointError(
            path,
            f"format version {config.get('format_version')}; this bioseq reads {_FORMAT_VERSION}",
        )
    return config


def _fill(parts: nn.Module, path: Path) -> None:
    """Copies the file's tensors into the modules; every name and shape must fit."""
    wanted = parts.state_dict()
    try:
        with safe_open(path, framework="pt") as file:
            found = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except FileNotFoundError:
        raise CheckpointError(path, "no such file; the model folder is incomplete") from None
    except OSError as error:
        raise CheckpointError(path, f"can't be read: {error}") from None
    except SafetensorError as error:
        raise CheckpointError(path, f"damaged or not safetensors ({error}); get it again") from None
    missing, unexpected = sorted(wanted.keys() - found.keys()), sorted(found.keys() - wanted.keys())
    if missing or unexpected:
        raise CheckpointError(
            path, "weights do not fit the config", missing=missing, unexpected=unexpected
        )
    _check_shapes(path, wanted, found)
    parts.load_state_dict({name: tensor.float() for name, tensor in found.items()})


def _check_shapes(path: Path, wanted: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> None:
    for name, tensor in wanted.items():
        if tensor.shape != found[name].shape:
            shapes = f"{list(found[name].shape)}, the config asks for {list(tensor.shape)}"
            raise CheckpointError(path, f"{name} has shape {shapes}")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
