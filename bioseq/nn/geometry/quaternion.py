"""Rotations as unit quaternions (w, x, y, z): what the backbone update changes.

Source: Jumper et al. 2021, supplementary algorithm 23.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor


def quaternion_to_rotation(
    quaternion: Float[Tensor, "*frames 4"],
) -> Float[Tensor, "*frames 3 3"]:
    """Returns the rotation matrices of unit quaternions."""
    w, x, y, z = quaternion.unbind(-1)
    rows = (
        (w * w + x * x - y * y - z * z, 2 * (x * y - w * z), 2 * (x * z + w * y)),
        (2 * (x * y + w * z), w * w - x * x + y * y - z * z, 2 * (y * z - w * x)),
        (2 * (x * z - w * y), 2 * (y * z + w * x), w * w - x * x - y * y + z * z),
    )
    return torch.stack([torch.stack(row, dim=-1) for row in rows], dim=-2)


def update_quaternion(
    quaternion: Float[Tensor, "*frames 4"], update: Float[Tensor, "*frames 3"]
) -> Float[Tensor, "*frames 4"]:
    """Multiplies by the quaternion (1, *update) from the right and makes the product a unit again.

    An update of zero changes nothing; each frame turns about its own axes.
    """
    w, x, y, z = quaternion.unbind(-1)
    b, c, d = update.unbind(-1)
    product = (
        w - x * b - y * c - z * d,
        x + w * b + y * d - z * c,
        y + w * c + z * b - x * d,
        z + w * d + x * c - y * b,
    )
    updated = torch.stack(product, dim=-1)
    return updated / torch.linalg.vector_norm(updated, dim=-1, keepdim=True)
