"""Attention along the rows and the columns of an alignment."""

from __future__ import annotations

from collections.abc import Iterator

from einops import rearrange
from jaxtyping import Bool, Float
from torch import Tensor, nn

from bioseq.nn.axial.blocking import block_slices, join
from bioseq.nn.axial.gated_attention import GatedAttention
from bioseq.nn.axial.row_bias import RowBias, mask_bias, pair_bias


class MSARowAttention(nn.Module):
    """Row attention with pair bias: each sequence of the alignment attends within itself.

    Args:
        msa_dim: Width of the MSA representation (c_m).
        pair_dim: Width of the pair representation (c_z).
        num_heads: Heads.
        head_dim: Width of a head (c).

    Source: Jumper et al. 2021, supplement, algorithm 7.
    """

    def __init__(self, msa_dim: int, pair_dim: int, *, num_heads: int, head_dim: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(msa_dim)
        self.pair_norm = nn.LayerNorm(pair_dim)
        self.pair_bias = nn.Linear(pair_dim, num_heads, bias=False)
        self.attention = GatedAttention(msa_dim, num_heads=num_heads, head_dim=head_dim)

    def updates(
        self,
        msa: Float[Tensor, "rows length msa_dim"],
        pair: Float[Tensor, "length length pair_dim"],
        mask: Bool[Tensor, "rows length"],
    ) -> Iterator[Float[Tensor, "block length msa_dim"]]:
        """Yields the update in blocks of rows."""
        bias = RowBias(pair_bias(pair, self.pair_norm, self.pair_bias), mask)
        bytes_per_row = self.attention.bytes_per_row(msa.shape[1]) + bias.bytes_per_row
        for rows in block_slices(len(msa), bytes_per_row):
            yield self.attention(self.norm(msa[rows]), bias.of(rows))

    def forward(
        self,
        msa: Float[Tensor, "rows length msa_dim"],
        pair: Float[Tensor, "length length pair_dim"],
        mask: Bool[Tensor, "rows length"],
    ) -> Float[Tensor, "rows length msa_dim"]:
        """Returns the update, without the residual."""
        return join(self.updates(msa, pair, mask), 0, len(msa))


class MSAColumnAttention(nn.Module):
    """Column attention: each position attends to the other sequences at this position.

    Args:
        msa_dim: Width of the MSA representation (c_m).
        num_heads: Heads.
        head_dim: Width of a head (c).

    Source: Jumper et al. 2021, supplement, algorithm 8.
    """

    def __init__(self, msa_dim: int, *, num_heads: int, head_dim: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(msa_dim)
        self.attention = GatedAttention(msa_dim, num_heads=num_heads, head_dim=head_dim)

    def updates(
        self, msa: Float[Tensor, "rows length msa_dim"], mask: Bool[Tensor, "rows length"]
    ) -> Iterator[Float[Tensor, "rows block msa_dim"]]:
        """Yields the update in blocks of columns."""
        bias = rearrange(mask_bias(mask, msa.dtype), "r l -> l 1 1 r")
        for columns in block_slices(msa.shape[1], self.attention.bytes_per_row(len(msa))):
            x = self.norm(rearrange(msa[:, columns], "r l d -> l r d"))
            yield rearrange(self.attention(x, bias[columns]), "l r d -> r l d")

    def forward(
        self, msa: Float[Tensor, "rows length msa_dim"], mask: Bool[Tensor, "rows length"]
    ) -> Float[Tensor, "rows length msa_dim"]:
        """Returns the update, without the residual."""
        return join(self.updates(msa, mask), 1, msa.shape[1])
