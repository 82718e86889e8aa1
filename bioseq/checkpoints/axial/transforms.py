"""How the tensors of other axial implementations become ours."""

from __future__ import annotations

import torch
from einops import rearrange
from torch import Tensor


def transpose_all(*weights: Tensor) -> Tensor:
    """Joins matrices stored as input by output."""
    return torch.cat([weight.T for weight in weights])


def join_heads(*weights: Tensor) -> Tensor:
    """Joins projections stored as input by head by width."""
    return torch.cat([rearrange(weight, "c h d -> (h d) c") for weight in weights])


def merge_heads(weight: Tensor) -> Tensor:
    """Turns an output projection stored as head by width by output."""
    return rearrange(weight, "h d c -> c (h d)")


def merge_factors(weight: Tensor) -> Tensor:
    """Turns the output of the outer product mean, stored as left by right by output."""
    return rearrange(weight, "c e z -> z (c e)")


def flatten(tensor: Tensor) -> Tensor:
    """Lays out one bias for each head and width."""
    return tensor.flatten()


def join_sides(
    values: Tensor, gates: Tensor, *, swapped: bool = False, transposed: bool = False
) -> Tensor:
    """Puts the values and gates of each side together, from tensors that hold both sides.

    Args:
        values: Both sides' values.
        gates: Both sides' gates.
        swapped: The second half belongs to the left side.
        transposed: Stored as input by output.
    """
    if transposed:
        values, gates = values.T, gates.T
    sides = list(zip(values.chunk(2), gates.chunk(2), strict=True))
    return torch.cat([part for side in (sides[::-1] if swapped else sides) for part in side])
