"""From one sequence to its pairs: what an outer product mean is to an alignment."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from jaxtyping import Float
from torch import Tensor, nn

from bioseq.nn.axial.blocking import block_slices, join


class SequenceToPair(nn.Module):
    """Products and differences of two residues' projections, for every pair.

    The pair (i, j) is made of j's first and i's second projection.

    Args:
        dim: Width of the sequence representation.
        pair_dim: Width of the pair representation; even.

    Source: Lin et al. 2023, supplement.
    """

    def __init__(self, dim: int, pair_dim: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.projection = nn.Linear(dim, pair_dim)
        self.output = nn.Linear(pair_dim, pair_dim)

    def updates(
        self, sequence: Float[Tensor, "length dim"]
    ) -> Iterator[Float[Tensor, "rows length pair_dim"]]:
        """Yields the update of the pair representation in blocks of rows."""
        query, key = self.projection(self.norm(sequence)).chunk(2, dim=-1)
        floats_per_pair = 3 * self.output.in_features
        bytes_per_row = len(sequence) * floats_per_pair * sequence.element_size()
        for rows in block_slices(len(sequence), bytes_per_row):
            own = key[rows, None]
            yield self.output(torch.cat([query * own, query - own], dim=-1))

    def forward(
        self, sequence: Float[Tensor, "length dim"]
    ) -> Float[Tensor, "length length pair_dim"]:
        """Returns the update, without the residual."""
        return join(self.updates(sequence), 0, len(sequence))
