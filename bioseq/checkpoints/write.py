"""Writing a folder with a config and weights, each file whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors.torch import save
from torch import Tensor

from bioseq.checkpoints.snapshot import CONFIG_FILE
from bioseq.checkpoints.weights import WEIGHTS_FILE
from bioseq.files import replacing


def write_folder(folder: Path, config: Mapping[str, Any], weights: Mapping[str, Tensor]) -> None:
    """Writes `config.json` beside `model.safetensors`.

    The config comes last: a folder that a kill left without it is no model.

    Args:
        folder: Made if it is not there.
        config: Plain data.
        weights: By name, in the number format to store.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with replacing(folder / WEIGHTS_FILE) as temporary:
        temporary.write_bytes(save({name: w.detach().contiguous() for name, w in weights.items()}))
    with replacing(folder / CONFIG_FILE) as temporary:
        temporary.write_text(config_text(config))


def config_text(config: Mapping[str, Any]) -> str:
    """Returns the text of a `config.json`."""
    return json.dumps(config, indent=2) + "\n"
