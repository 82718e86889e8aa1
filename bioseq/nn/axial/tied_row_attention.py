"""Row attention whose map all rows of an alignment share."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn

from bioseq.nn.axial.blocking import block_slices, join


class TiedRowAttention(nn.Module):
    """Every row attends within itself, with one map for all rows, from logits summed over them.

    The summed logits are scaled with the square root of the number of rows. That the rows are those
    of this alignment, and not of the deepest one of a batch, makes the result independent of
    batches. Only the map is whole; queries, keys and values exist for some rows at a time.

    Args:
        msa_dim: Width in and out.
        num_heads: Heads; each is `msa_dim / num_heads` wide.

    Source: Rao et al. 2021 (MSA Transformer), section 3.
    """

    def __init__(self, msa_dim: int, *, num_heads: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.norm = nn.LayerNorm(msa_dim)
        self.query = nn.Linear(msa_dim, msa_dim)
        self.key = nn.Linear(msa_dim, msa_dim)
        self.value = nn.Linear(msa_dim, msa_dim)
        self.output = nn.Linear(msa_dim, msa_dim)

    def map(
        self, msa: Float[Tensor, "rows length msa_dim"], *, depth: int | None = None
    ) -> Float[Tensor, "heads length length"]:
        """Returns the attention probabilities that all rows share.

        Args:
            msa: The representation.
            depth: Number of rows that the scale is for; theirs unless given.
        """
        length, dim = msa.shape[1:]
        scale = (dim // self.num_heads * (depth or len(msa))) ** -0.5
        logits = msa.new_zeros(self.num_heads, length, length)
        for rows in self._blocks(msa):
            x = self.norm(msa[rows])
            q = rearrange(scale * self.query(x), "r i (h d) -> h i (r d)", h=self.num_heads)
            k = rearrange(self.key(x), "r j (h d) -> h (r d) j", h=self.num_heads)
            logits = torch.baddbmm(logits, q, k)
        return logits.softmax(dim=-1)

    def updates(
        self,
        msa: Float[Tensor, "rows length msa_dim"],
        attention: Float[Tensor, "heads length length"],
    ) -> Iterator[Float[Tensor, "block length msa_dim"]]:
        """Yields the update in blocks of rows.

        Args:
            msa: The representation.
            attention: What `map` gave for it.
        """
        for rows in self._blocks(msa):
            value = self.value(self.norm(msa[rows]))
            count = len(value)
            value = rearrange(value, "r j (h d) -> h j (r d)", h=self.num_heads)
            mixed = torch.bmm(attention, value)
            yield self.output(rearrange(mixed, "h i (r d) -> r i (h d)", r=count))

    def forward(
        self, msa: Float[Tensor, "rows length msa_dim"]
    ) -> Float[Tensor, "rows length msa_dim"]:
        """Returns the update, without the residual."""
        return join(self.updates(msa, self.map(msa)), 0, len(msa))

    def _blocks(self, msa: Float[Tensor, "rows length msa_dim"]) -> Iterator[slice]:
        length, dim = msa.shape[1:]
        return block_slices(len(msa), 6 * length * dim * msa.element_size())
