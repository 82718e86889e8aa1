"""The outer product mean: from the MSA representation to the pair representation."""

from __future__ import annotations

from collections.abc import Iterator

from einops import rearrange
from jaxtyping import Bool, Float
from torch import Tensor, nn

from bioseq.nn.axial.blocking import block_slices, join

_EPS = 1e-3  # added to the number of rows; a pair without any gets the bias a thousandfold


class OuterProductMean(nn.Module):
    """The outer product of two positions' states, averaged over the rows that have both.

    Args:
        msa_dim: Width of the MSA representation (c_m).
        pair_dim: Width of the pair representation (c_z).
        outer_dim: Width of the two factors (c).

    Source: Jumper et al. 2021, supplement, algorithm 10.
    """

    def __init__(self, msa_dim: int, pair_dim: int, *, outer_dim: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(msa_dim)
        self.factors = nn.Linear(msa_dim, 2 * outer_dim)
        self.output = nn.Linear(outer_dim**2, pair_dim)
        nn.init.zeros_(self.output.weight)
        nn.init.zeros_(self.output.bias)

    def updates(
        self, msa: Float[Tensor, "rows length msa_dim"], mask: Bool[Tensor, "rows length"]
    ) -> Iterator[Float[Tensor, "block length pair_dim"]]:
        """Yields the update of the pair representation in blocks of rows."""
        left, right = self._factors(msa, mask)
        right = rearrange(right, "s j e -> s (j e)")
        weights = mask.to(msa)
        counts = weights.T @ weights + _EPS
        length = msa.shape[1]
        floats_per_pair = 2 * self.output.in_features + 2 * self.output.out_features
        bytes_per_row = length * floats_per_pair * msa.element_size()
        for rows in block_slices(length, bytes_per_row, share=0.5):
            outer = rearrange(left[:, rows], "s i c -> (i c) s") @ right
            outer = rearrange(outer, "(i c) (j e) -> i j (c e)", j=length, c=left.shape[-1])
            yield self.output(outer) / counts[rows, :, None]

    def forward(
        self, msa: Float[Tensor, "rows length msa_dim"], mask: Bool[Tensor, "rows length"]
    ) -> Float[Tensor, "length length pair_dim"]:
        """Returns the update of the pair representation, without the residual."""
        return join(self.updates(msa, mask), 0, msa.shape[1])

    def _factors(
        self, msa: Float[Tensor, "rows length msa_dim"], mask: Bool[Tensor, "rows length"]
    ) -> tuple[Float[Tensor, "rows length outer_dim"], ...]:
        blocks = (
            self.factors(self.norm(msa[rows])) * mask[rows, :, None]
            for rows in block_slices(len(msa), 2 * msa[:1].nbytes)
        )
        return join(blocks, 0, len(msa)).chunk(2, dim=-1)
