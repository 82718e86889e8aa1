"""Rigid frames: a rotation followed by a translation.

Source: Jumper et al. 2021, supplementary section 1.8 and algorithm 21.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True)
class Rigid:
    """Frames, each of which takes a point of its own coordinates into the common ones.

    Attributes:
        rotation: Orthogonal matrices of determinant one.
        translation: Where the frames' origins lie.
    """

    rotation: Float[Tensor, "*frames 3 3"]
    translation: Float[Tensor, "*frames 3"]

    @classmethod
    def from_points(
        cls,
        axis: Float[Tensor, "*frames 3"],
        origin: Float[Tensor, "*frames 3"],
        plane: Float[Tensor, "*frames 3"],
    ) -> Rigid:
        """Builds frames from three points each by Gram and Schmidt's method.

        Args:
            axis: Lies on the first axis, on the positive side.
            origin: Becomes the origin.
            plane: Lies in the plane of the first two axes; for a backbone, `axis` is C, `origin`
                CA and `plane` N.

        Source: algorithm 21.
        """
        first = functional.normalize(axis - origin, dim=-1)
        toward = plane - origin
        second = functional.normalize(
            toward - (first * toward).sum(-1, keepdim=True) * first, dim=-1
        )
        third = torch.linalg.cross(first, second, dim=-1)
        return cls(torch.stack([first, second, third], dim=-1), origin)

    def apply(self, points: Float[Tensor, "*points 3"]) -> Float[Tensor, "*result 3"]:
        """Takes points from the frames' coordinates into the common ones; shapes broadcast."""
        return _turn(self.rotation, points) + self.translation

    def apply_inverse(self, points: Float[Tensor, "*points 3"]) -> Float[Tensor, "*result 3"]:
        """Takes points from the common coordinates into the frames'; shapes broadcast."""
        return _turn(self.rotation.mT, points - self.translation)

    def compose(self, other: Rigid) -> Rigid:
        """Gives the frames that apply `other` first; shapes broadcast."""
        # Columns of the product are the columns of the other, turned.
        columns = [_turn(self.rotation, column) for column in other.rotation.unbind(-1)]
        return Rigid(torch.stack(columns, dim=-1), self.apply(other.translation))

    def invert(self) -> Rigid:
        """Gives the frames that undo these."""
        return Rigid(self.rotation.mT, -_turn(self.rotation.mT, self.translation))

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
