"""OpenFold's two layouts against AlphaFold 2's file, through OpenFold's own list of names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from bioseq.checkpoints.axial import alphafold, openfold
from bioseq.checkpoints.axial.stacked import unstack
from bioseq.checkpoints.weights import open_weights

Arrays = dict[str, Tensor]
RULES = (*openfold.trunk_rules(), *openfold.head_rules())


def to_first_layout(name: str) -> str:
    """Names a tensor as OpenFold did before its modules moved."""
    name = name.replace("template_embedder.", "")
    name = name.replace("template_single_embedder", "template_angle_embedder")
    if "template" not in name:
        for moved in ("msa_transition", "outer_product_mean"):
            name = name.replace(f".{moved}.", f".core.{moved}.")
        name = name.replace(".pair_stack.", ".core.")
    return name


def fuse(tensors: Arrays) -> Arrays:
    """Joins the projections of the triangle multiplications as OpenFold's fused module does."""
    fused = dict(tensors)
    for name in tensors:
        if "linear_a_" in name:
            sides = [fused.pop(name), fused.pop(name.replace("linear_a_", "linear_b_"))]
            fused[name.replace("linear_a_", "linear_ab_")] = torch.cat(sides)
    return fused


@pytest.mark.parametrize("wrapper", ["", "module.", "model."])
@pytest.mark.parametrize("layout", ["first", "second", "fused"])
def test_a_state_dict_fills_the_trunk_as_alphafold_file_does(
    layout: str,
    wrapper: str,
    alphafold_file: Path,
    second_layout: Arrays,
    build_filled: Callable[..., nn.ModuleDict],
    tmp_path: Path,
) -> None:
    tensors = second_layout
    if layout == "first":
        tensors = {to_first_layout(name): value for name, value in tensors.items()}
    elif layout == "fused":
        tensors = fuse(tensors)
    torch.save({wrapper + name: value for name, value in tensors.items()}, tmp_path / "openfold.pt")
    with open_weights(tmp_path / "openfold.pt") as weights:
        unwrapped = openfold.unwrap_names(weights)
        config = openfold.trunk_config(unwrapped)
        ours = build_filled(config, RULES, unwrapped).state_dict()
    with open_weights(alphafold_file) as weights:
        assert config == alphafold.trunk_config(weights)
        rules = (*alphafold.trunk_rules(), *alphafold.head_rules())
        reference = build_filled(config, rules, unstack(weights, alphafold.STACKED))
    for name, value in reference.state_dict().items():
        assert torch.equal(ours[name], value), name
