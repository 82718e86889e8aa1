"""Layers filled with the reference's random parameters, and tiny random inputs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from bioseq.checkpoints.keymap import Rule, fill
from bioseq.checkpoints.weights import Weights

Arrays = dict[str, Tensor]
MakeRules = Callable[[str, str], Sequence[Rule]]


@pytest.fixture(scope="session")
def reference(data_dir: Path) -> Arrays:
    """AlphaFold 2 in JAX: `<module>/param/<scope>//<name>`, `/in/...`, `/out/...`."""
    with np.load(data_dir / "axial" / "alphafold_layers.npz") as arrays:
        return {name: torch.from_numpy(arrays[name]) for name in arrays.files}


@pytest.fixture(scope="session")
def fill_layer(reference: Arrays) -> Callable[[nn.Module, MakeRules, str], None]:
    """Fills a layer with the parameters of one of the reference's modules."""

    def fill_from_reference(layer: nn.Module, make_rules: MakeRules, module: str) -> None:
        prefix = f"{module}/param/"
        tensors = {
            name.removeprefix(prefix): value
            for name, value in reference.items()
            if name.startswith(prefix)
        }
        weights = Weights(path=Path(module), names=frozenset(tensors), read=tensors.__getitem__)
        fill(nn.ModuleDict({"layer": layer.eval()}), make_rules("layer", module), weights)

    return fill_from_reference
