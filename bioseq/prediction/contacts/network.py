"""The bundled axial network: its folder, and how it is read and written."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import torch

from bioseq.checkpoints.keymap import Rule, fill
from bioseq.checkpoints.snapshot import open_snapshot
from bioseq.checkpoints.write import write_folder
from bioseq.errors import CheckpointError
from bioseq.models.axial_contacts import AxialContactConfig, AxialContactModel

BUNDLED = Path(__file__).parent / "bundled" / "axial-contacts"
_FORMAT = "bioseq-contacts"
_FORMAT_VERSION = 1


def save_network(model: AxialContactModel, folder: Path) -> None:
    """Writes a folder that `load_network` reads, with the weights in float16."""
    config = {"format": _FORMAT, "format_version": _FORMAT_VERSION, "network": asdict(model.config)}
    write_folder(folder, config, {name: w.half() for name, w in model.state_dict().items()})


def load_network(folder: Path = BUNDLED) -> tuple[AxialContactModel, str]:
    """Reads a network, in evaluation mode and float32, and the digest of its weights.

    Raises:
        CheckpointError: a file is missing, damaged, or does not fit the config.
    """
    with open_snapshot(folder) as snapshot:
        found = (snapshot.config.get("format"), snapshot.config.get("format_version"))
        if found != (_FORMAT, _FORMAT_VERSION):
            problem = f"format {found[0]!r} {found[1]!r}, not {_FORMAT!r} {_FORMAT_VERSION}"
            raise CheckpointError(snapshot.config_path, problem)
        network = dict(snapshot.config["network"])
        network["dilations"] = tuple(network["dilations"])
        model = AxialContactModel(AxialContactConfig(**network)).eval()
        rules = [Rule(name, (name,)) for name in model.state_dict()]
        fill(model, rules, snapshot.weights, dtype=torch.float32)
        return model, snapshot.digest()
