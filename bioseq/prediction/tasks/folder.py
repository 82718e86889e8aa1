"""Predictor folders: `config.json` beside `model.safetensors`, in the package or a user's own.

A predictor that was trained together with its encoder holds that one as a model folder, `encoder`.
Version 1 of the format had one level for all targets, and no name for the readout of that level.
Version 3 wrote the `features` and the `grammar` of each target. They are read in folders of every
version, and the digest leaves them out: they change how predictions are read, not one number, and
may be written into a folder of before, as they were into those of the package.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch

from bioseq.checkpoints.keymap import Rule, fill
from bioseq.checkpoints.snapshot import CONFIG_FILE, read_config
from bioseq.checkpoints.weights import WEIGHTS_FILE, find_weights, open_weights
from bioseq.checkpoints.write import config_text, write_folder
from bioseq.errors import CheckpointError
from bioseq.heads import Head, HeadConfig, build_head
from bioseq.labels.target import Target
from bioseq.prediction.tasks.meaning import build_grammar
from bioseq.prediction.tasks.predictor import EncoderReference, Predictor
from bioseq.prediction.tasks.typicality import Typicality
from bioseq.typing import AnyPath

_FORMAT = "bioseq-predictor"
_FORMAT_VERSION = 3
ENCODER_FOLDER = "encoder"
"""Model folder in a predictor folder, of an encoder that belongs to no other."""
_MEANING = ("features", "grammar")
_NAMED_READOUT = re.compile(r"\.readouts\.[a-z]+\.")
_BUNDLED = Path(__file__).parent / "bundled"


def bundled_predictors() -> dict[str, Path]:
    """Returns the folder of each bundled predictor by its task."""
    return {path.parent.name: path.parent for path in sorted(_BUNDLED.glob(f"*/{CONFIG_FILE}"))}


def load_predictor(task_or_path: AnyPath) -> Predictor:
    """Loads a predictor in evaluation mode, with its weights in float32.

    Args:
        task_or_path: Task of a bundled predictor, or a predictor folder.

    Raises:
        CheckpointError: there is no such predictor, or its files are damaged.
    """
    bundled = bundled_predictors()
    folder = bundled.get(str(task_or_path), Path(task_or_path))
    if not folder.is_dir():
        problem = f"no such predictor; give a predictor folder or one of: {', '.join(bundled)}"
        raise CheckpointError(task_or_path, problem)
    return read_predictor(folder)


def save_predictor(
    folder: Path, predictor: Predictor, *, dtype: torch.dtype = torch.float32
) -> None:
    """Writes a predictor folder that `read_predictor` reads.

    Args:
        folder: Made if it is not there.
        predictor: What to write.
        dtype: Number format of the stored weights of the heads.
    """
    [head, *_] = predictor.heads
    assert isinstance(head, Head)
    config = {
        "format": _FORMAT,
        "format_version": _FORMAT_VERSION,
        "task": predictor.task,
        "version": predictor.version,
        "encoder": asdict(predictor.encoder),
        "head": asdict(head.config),
        "members": len(predictor.heads),
        "targets": [asdict(target) for target in predictor.targets],
        "typicality_directions": len(predictor.typicality.directions),
    }
    weights = {
        name: w.to(dtype) if name.startswith("heads.") else w
        for name, w in predictor.state_dict().items()
    }
    write_folder(folder, config, weights)


def read_predictor(folder: Path) -> Predictor:
    """Reads a predictor folder.

    Raises:
        CheckpointError: a file is missing, damaged, or does not fit the config.
    """
    config = read_config(folder)
    path = folder / CONFIG_FILE
    if config.get("format") != _FORMAT:
        raise CheckpointError(path, f'no "format": "{_FORMAT}"; not a bioseq predictor')
    version = config.get("format_version")
    if version not in range(1, _FORMAT_VERSION + 1):
        problem = f"format version {version}; this bioseq reads up to {_FORMAT_VERSION}"
        raise CheckpointError(path, problem)
    try:
        predictor = _build(_with_levels(config) if version == 1 else config).eval()
    except Exception as error:  # a damaged config may hold anything, and fail anywhere
        problem = f"unusable config: {type(error).__name__}: {error}"
        raise CheckpointError(path, problem) from error
    rules = [
        Rule(name, (_NAMED_READOUT.sub(".", name) if version == 1 else name,))
        for name in predictor.state_dict()
    ]
    with open_weights(*find_weights(folder)) as weights:
        fill(predictor, rules, weights)
    predictor.digest = _digest(folder)
    if predictor.encoder.model == ENCODER_FOLDER:
        predictor.encoder = replace(predictor.encoder, model=str(folder / ENCODER_FOLDER))
    return predictor


def _with_levels(config: Mapping[str, Any]) -> dict[str, Any]:
    """Turns a config of version 1 into one of version 2."""
    head = dict(config["head"])
    head["outputs"] = {head.pop("level"): head.pop("output_dim")}
    return {**config, "head": head}


def _build(config: Mapping[str, Any]) -> Predictor:
    encoder = EncoderReference(**_tuples(config["encoder"]))
    head = HeadConfig(**_tuples(config["head"]))
    return Predictor(
        task=config["task"],
        version=config["version"],
        encoder=encoder,
        targets=tuple(_target(target) for target in config["targets"]),
        heads=[build_head(head) for _ in range(config["members"])],
        typicality=Typicality(head.input_dim, config["typicality_directions"]),
    )


def _target(fields: Mapping[str, Any]) -> Target:
    grammar = fields.get("grammar")
    built = None if grammar is None else build_grammar(grammar)
    return Target(**{**_tuples(fields), "grammar": built})


def _tuples(fields: Mapping[str, Any]) -> dict[str, Any]:
    """JSON has lists where the dataclasses have tuples."""
    return {k: tuple(v) if isinstance(v, list) else v for k, v in fields.items()}


def _digest(folder: Path) -> str:
    digest = hashlib.sha256(_without_meaning((folder / CONFIG_FILE).read_bytes()))
    digest.update((folder / WEIGHTS_FILE).read_bytes())
    return digest.hexdigest()


def _without_meaning(text: bytes) -> bytes:
    """Returns the text of a config as it is written without what changes no number."""
    config = json.loads(text)
    if not any(name in target for target in config["targets"] for name in _MEANING):
        return text
    for target in config["targets"]:
        for name in _MEANING:
            target.pop(name, None)
    return config_text(config).encode()
