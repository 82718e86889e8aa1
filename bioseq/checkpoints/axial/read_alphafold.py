"""Reading AlphaFold 2: its own parameter files and OpenFold's checkpoints.

Neither says how often the structure module's shared iteration runs; in every published model it is
eight times.
"""

from __future__ import annotations

import torch

from bioseq.checkpoints.axial import alphafold, openfold
from bioseq.checkpoints.axial.shapes import Shapes
from bioseq.checkpoints.axial.stacked import unstack
from bioseq.checkpoints.axial.structure_module import (
    alphafold_head_rules,
    alphafold_rules,
    alphafold_structure,
    openfold_head_rules,
    openfold_rules,
    openfold_structure,
)
from bioseq.checkpoints.keymap import fill
from bioseq.checkpoints.weights import Weights
from bioseq.models.alphafold import AlphaFold, AlphaFoldConfig

NUM_ROUNDS = 8


def is_alphafold(weights: Weights) -> bool:
    """Returns whether weights are a parameter file of AlphaFold 2."""
    return any(name.startswith(f"{alphafold.ROOT}/") for name in weights.names)


def is_openfold(weights: Weights) -> bool:
    """Returns whether weights are a checkpoint of OpenFold."""
    return "evoformer.linear.weight" in openfold.unwrap_names(weights).names


def read_alphafold(weights: Weights, *, num_rounds: int = NUM_ROUNDS) -> AlphaFold:
    """Reads a parameter file, in evaluation mode.

    Raises:
        CheckpointError: the file lacks arrays, or holds others.
    """
    shapes, root = Shapes(weights), f"{alphafold.ROOT}/"
    module = f"{root}structure_module/"
    config = AlphaFoldConfig(
        trunk=alphafold.trunk_config(weights),
        structure=alphafold_structure(shapes, module, num_rounds=num_rounds),
        lddt_dim=shapes[f"{root}predicted_lddt_head/act_0//bias"][0],
        has_aligned_error=f"{root}predicted_aligned_error_head/logits//bias" in shapes,
    )
    rules = [
        *alphafold.trunk_rules(),
        *alphafold.head_rules(),
        *alphafold_rules("structure_module.", module),
        *alphafold_head_rules("heads.", root),
    ]
    model = _build(config)
    fill(model, rules, unstack(weights, alphafold.STACKED))
    return model


def read_openfold(weights: Weights, *, num_rounds: int = NUM_ROUNDS) -> AlphaFold:
    """Reads a checkpoint in either layout, in evaluation mode.

    Raises:
        CheckpointError: the file lacks tensors, or holds others.
    """
    weights = openfold.unwrap_names(weights)
    shapes, heads = Shapes(weights), "aux_heads."
    config = AlphaFoldConfig(
        trunk=openfold.trunk_config(weights),
        structure=openfold_structure(shapes, "structure_module.", num_rounds=num_rounds),
        lddt_dim=shapes[f"{heads}plddt.linear_1.bias"][0],
        has_aligned_error=f"{heads}tm.linear.bias" in shapes,
    )
    rules = [
        *openfold.trunk_rules(),
        *openfold.head_rules(),
        *openfold_rules("structure_module.", "structure_module."),
        *openfold_head_rules("heads.", heads),
    ]
    model = _build(config)
    fill(model, rules, weights)
    return model


def _build(config: AlphaFoldConfig) -> AlphaFold:
    with torch.device("meta"):
        return AlphaFold(config).eval()
