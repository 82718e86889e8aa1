"""Rigid frames: a rotation followed by a translation.

Source: Jumper et al. 2021, supplementary section 1.8.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class Rigid:
    """Frames, each of which takes a point of its own coordinates into the common ones.

    Attributes:
        rotation: Orthogonal matrices of determinant one.
        translation: Where the frames' origins lie.
    """

    rotation: Float[Tensor, "*frames 3 3"]
    translation: Float[Tensor, "*frames 3"]

    def apply(self, points: Float[Tensor, "*points 3"]) -> Float[Tensor, "*result 3"]:
        """Takes points from the frames' coordinates into the common ones; shapes broadcast."""
        return _turn(self.rotation, points) + self.translation

    def apply_inverse(self, points: Float[Tensor, "*points 3"]) -> Float[Tensor, "*result 3"]:
        """Takes points from the common coordinates into the frames'; shapes broadcast."""
        return _turn(self.rotation.mT, points - self.translation)

    def compose(self, other: Rigid) -> Rigid:
        """Returns the frames that apply `other` first; shapes broadcast."""
        # Columns of the product are the columns of the other, turned.
        columns = [_turn(self.rotation, column) for column in other.rotation.unbind(-1)]
        return Rigid(torch.stack(columns, dim=-1), self.apply(other.translation))

    def insert(self, *axes: int) -> Rigid:
        """Inserts frame axes of size one, counted from the last, to broadcast over points."""
        rotation, translation = self.rotation, self.translation
        for axis in axes:
            rotation, translation = rotation.unsqueeze(axis - 2), translation.unsqueeze(axis - 1)
        return Rigid(rotation, translation)


def _turn(
    rotation: Float[Tensor, "*frames 3 3"], points: Float[Tensor, "*points 3"]
) -> Float[Tensor, "*result 3"]:
    """Multiplies matrices and vectors in full precision, also where matmul would use less."""
    return (rotation * points.unsqueeze(-2)).sum(-1)
