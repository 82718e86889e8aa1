"""Invariant point attention: attention between residues that also sees where they are in space.

Turning or moving all frames together changes nothing.

Source: Jumper et al. 2021, supplementary algorithm 22. As in the published weights, the projections
have biases, the query and key points come as all x, all y, all z, and points of a head follow it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from einops import einsum, rearrange
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional

from bioseq.nn.axial.blocking import block_slices
from bioseq.nn.geometry.rigid import Rigid

_EPSILON = 1e-8  # under the root, where a point at the origin has no gradient
_MASKED = -1e5


@dataclass(frozen=True)
class _Projections:
    """Queries, keys and values by residue; points in the common coordinates."""

    query: Float[Tensor, "*batch length heads head_dim"]
    key: Float[Tensor, "*batch length heads head_dim"]
    value: Float[Tensor, "*batch length heads head_dim"]
    query_points: Float[Tensor, "*batch length heads query_points 3"]
    key_points: Float[Tensor, "*batch length heads query_points 3"]
    value_points: Float[Tensor, "*batch length heads value_points 3"]


class InvariantPointAttention(nn.Module):
    """Attends from residue to residue by content, pair representation and distance of points.

    Memory grows as length squared times heads only for a block of queries at a time.

    Args:
        single_dim: Width of the single representation (the paper's c_s).
        pair_dim: Width of the pair representation (c_z).
        num_heads: Heads.
        head_dim: Width of a head's queries, keys and values.
        num_query_points: Points of each head's query and key.
        num_value_points: Points of each head's value.
    """

    def __init__(
        self,
        single_dim: int,
        pair_dim: int,
        *,
        num_heads: int,
        head_dim: int,
        num_query_points: int,
        num_value_points: int,
    ) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.head_dim = head_dim
        self.num_query_points = num_query_points
        self.query = nn.Linear(single_dim, num_heads * head_dim)
        self.key_value = nn.Linear(single_dim, 2 * num_heads * head_dim)
        self.query_points = nn.Linear(single_dim, 3 * num_heads * num_query_points)
        key_value_points = num_query_points + num_value_points
        self.key_value_points = nn.Linear(single_dim, 3 * num_heads * key_value_points)
        self.pair_bias = nn.Linear(pair_dim, num_heads)
        self.point_weights = nn.Parameter(torch.full((num_heads,), math.log(math.e - 1)))
        features = head_dim + 4 * num_value_points + pair_dim
        self.output = nn.Linear(num_heads * features, single_dim)

    def forward(
        self,
        single: Float[Tensor, "*batch length single_dim"],
        pair: Float[Tensor, "*batch length length pair_dim"],
        frames: Rigid,
        mask: Bool[Tensor, "*batch length"],
    ) -> Float[Tensor, "*batch length single_dim"]:
        """Returns the update of the single representation.

        Args:
            single: Single representation.
            pair: Pair representation.
            frames: Backbone frames, in units of ten angstrom for the published weights.
            mask: Real residues. What padding attends to is arbitrary but finite.
        """
        projections = self._project(single, frames)
        blocks = block_slices(single.shape[-2], self._bytes_per_row(single))
        updates = [
            self.output(self._gather(projections, pair, frames, mask, rows)) for rows in blocks
        ]
        return torch.cat(updates, dim=-2)

    def _project(self, single: Float[Tensor, "*batch length dim"], frames: Rigid) -> _Projections:
        heads = self.num_heads
        key_value = rearrange(self.key_value(single), "... l (h d) -> ... l h d", h=heads)
        key, value = key_value.split(self.head_dim, dim=-1)
        placed = [
            frames.insert(-1, -1).apply(
                rearrange(points, "... l (x h p) -> ... l h p x", x=3, h=heads)
            )
            for points in (self.query_points(single), self.key_value_points(single))
        ]
        key_points, value_points = placed[1].split(
            [self.num_query_points, placed[1].shape[-2] - self.num_query_points], dim=-2
        )
        return _Projections(
            query=rearrange(self.query(single), "... l (h d) -> ... l h d", h=heads),
            key=key,
            value=value,
            query_points=placed[0],
            key_points=key_points,
            value_points=value_points,
        )

    def _gather(
        self,
        projections: _Projections,
        pair: Float[Tensor, "*batch length length dim"],
        frames: Rigid,
        mask: Bool[Tensor, "*batch length"],
        rows: slice,
    ) -> Float[Tensor, "*batch rows features"]:
        """Returns what the residues in `rows` gather from all."""
        pair = pair[..., rows, :, :]
        logits = self._logits(projections, pair, rows)
        masked = ~(mask[..., rows, None] & mask[..., None, :])
        weights = (logits + _MASKED * masked[..., None, :, :]).softmax(dim=-1)
        value = einsum(weights, projections.value, "... h i j, ... j h d -> ... i h d")
        points = einsum(weights, projections.value_points, "... h i j, ... j h p x -> ... i h p x")
        own = Rigid(frames.rotation[..., rows, :, :], frames.translation[..., rows, :]).insert(
            -1, -1
        )
        points = own.apply_inverse(points)
        distances = (points.square().sum(-1) + _EPSILON).sqrt()
        pairs = einsum(weights, pair, "... h i j, ... i j d -> ... i h d")
        parts = [
            rearrange(value, "... i h d -> ... i (h d)"),
            rearrange(points, "... i h p x -> ... i (x h p)"),
            rearrange(distances, "... i h p -> ... i (h p)"),
            rearrange(pairs, "... i h d -> ... i (h d)"),
        ]
        return torch.cat(parts, dim=-1)

    def _bytes_per_row(self, single: Float[Tensor, "*batch length dim"]) -> int:
        """Counts the gaps between points and their squares, and the logits beside them."""
        values = math.prod(single.shape[:-1]) * self.num_heads * (6 * self.num_query_points + 4)
        return values * single.element_size()

    def _logits(
        self, projections: _Projections, pair: Float[Tensor, "*batch rows length dim"], rows: slice
    ) -> Float[Tensor, "*batch heads rows length"]:
        """Returns the sum of three terms, each of variance one third at the start of training."""
        content = einsum(
            projections.query[..., rows, :, :],
            projections.key,
            "... i h d, ... j h d -> ... h i j",
        )
        bias = rearrange(self.pair_bias(pair), "... i j h -> ... h i j")
        gaps = (
            projections.query_points[..., rows, None, :, :, :]
            - projections.key_points[..., None, :, :, :, :]
        )
        scale = math.sqrt(1 / (3 * self.num_query_points * 9 / 2))
        weights = functional.softplus(self.point_weights) * scale
        spread = gaps.square().sum((-1, -2))
        nearness = rearrange(spread * weights, "... i j h -> ... h i j")
        return content * math.sqrt(1 / (3 * self.head_dim)) + bias * math.sqrt(1 / 3) - nearness / 2
