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


def swap_halves(*tensors: Tensor) -> Tensor:
    """Joins tensors after swapping the two halves of each: left and right change sides."""
    return torch.cat([half for tensor in tensors for half in reversed(tensor.chunk(2))])


def swap_transposed(*weights: Tensor) -> Tensor:
    """Does the same with matrices stored as input by output."""
    return swap_halves(*(weight.T for weight in weights))
