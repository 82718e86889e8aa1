"""Triangle attention: the edges of one node attend to each other."""

from __future__ import annotations

from collections.abc import Iterator

from jaxtyping import Bool, Float
from torch import Tensor, nn

from bioseq.nn.axial.blocking import block_slices, join
from bioseq.nn.axial.gated_attention import GatedAttention
from bioseq.nn.axial.row_bias import RowBias, pair_bias


class TriangleAttention(nn.Module):
    """Attention along the rows (starting node) or the columns (ending node) of the pairs.

    Args:
        pair_dim: Width of the pair representation (c_z).
        num_heads: Heads.
        head_dim: Width of a head (c).
        starting: Around the starting node; else around the ending node.

    Attributes:
        axis: Axis along which updates are cut.

    Source: Jumper et al. 2021, supplement, algorithms 13 and 14.
    """

    def __init__(self, pair_dim: int, *, num_heads: int, head_dim: int, starting: bool) -> None:
        super().__init__()
        self.starting = starting
        self.axis = 0 if starting else 1
        self.norm = nn.LayerNorm(pair_dim)
        self.pair_bias = nn.Linear(pair_dim, num_heads, bias=False)
        self.attention = GatedAttention(pair_dim, num_heads=num_heads, head_dim=head_dim)

    def updates(
        self, pair: Float[Tensor, "length length pair_dim"], mask: Bool[Tensor, "length length"]
    ) -> Iterator[Float[Tensor, "rows columns pair_dim"]]:
        """Yields the update in blocks along `axis`."""
        shared = pair_bias(pair, self.norm, self.pair_bias)
        if not self.starting:  # the columns of the pairs are the rows of the transposed pairs
            pair, mask, shared = pair.transpose(0, 1), mask.T, shared.mT.contiguous()
        bias = RowBias(shared, mask)
        bytes_per_row = self.attention.bytes_per_row(len(pair)) + bias.bytes_per_row
        for rows in block_slices(len(pair), bytes_per_row):
            update = self.attention(self.norm(pair[rows]), bias.of(rows))
            yield update if self.starting else update.transpose(0, 1)

    def forward(
        self, pair: Float[Tensor, "length length pair_dim"], mask: Bool[Tensor, "length length"]
    ) -> Float[Tensor, "length length pair_dim"]:
        """Returns the update, without the residual."""
        return join(self.updates(pair, mask), self.axis, len(pair))
