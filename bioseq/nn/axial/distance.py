"""Distances between residues, as bins."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

_GLYCINE = 7  # in AlphaFold's order of residue types, ARNDCQEGHILKMFPSTWYV
_CA, _CB = 1, 3  # in its order of 37 atoms
_FAR = 1e8  # squared; the last bin is open


def distance_bins(
    rows: Float[Tensor, "rows 3"],
    columns: Float[Tensor, "columns 3"],
    *,
    first: float,
    last: float,
    num_bins: int,
) -> Bool[Tensor, "rows columns num_bins"]:
    """Returns which bin each distance falls into; none where it is below the first.

    Args:
        rows: Positions, in Ångström.
        columns: Positions, in Ångström.
        first: Lower edge of the first bin, in Ångström.
        last: Lower edge of the last bin, which has no upper one.
        num_bins: Bins.

    Source: Jumper et al. 2021, supplement, algorithm 32 and table 1.
    """
    lower = torch.linspace(first, last, num_bins, dtype=rows.dtype, device=rows.device).square()
    upper = torch.cat([lower[1:], lower.new_tensor([_FAR])])
    squared = (rows[:, None] - columns[None]).square().sum(dim=-1, keepdim=True)
    return (squared > lower) & (squared < upper)


def pseudo_beta(
    residue_types: Int[Tensor, "*templates length"],
    positions: Float[Tensor, "*templates length 37 3"],
) -> Float[Tensor, "*templates length 3"]:
    """Returns the position of CB, or of CA in glycine.

    Args:
        residue_types: In AlphaFold's order.
        positions: Of the 37 atoms in AlphaFold's order.
    """
    glycine = (residue_types == _GLYCINE)[..., None]
    return torch.where(glycine, positions[..., _CA, :], positions[..., _CB, :])
