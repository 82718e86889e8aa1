"""The beta carbon, where it would be: glycine has none, and backbones come without side chains."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

# Of the cross product of the two bonds, of the bond N-CA and of CA-C, at ideal geometry.
_CROSS, _FIRST, _SECOND = -0.58273431, 0.56802827, -0.54067466


def virtual_beta(backbone: Float[Tensor, "*residues 3 3"]) -> Float[Tensor, "*residues 3"]:
    """Places the beta carbon of each residue from its N, CA and C.

    Source: the constants are those of ESMFold's published code.
    """
    n, ca, c = backbone.unbind(-2)
    first, second = ca - n, c - ca
    cross = torch.linalg.cross(first, second, dim=-1)
    return _CROSS * cross + _FIRST * first + _SECOND * second + ca
