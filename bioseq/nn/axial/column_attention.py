"""Column attention without gates."""

from __future__ import annotations

from collections.abc import Iterator

from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn

from bioseq.batch import layout_of
from bioseq.nn.attention import attend
from bioseq.nn.axial.blocking import block_slices, join


class ColumnAttention(nn.Module):
    """Each position attends to the same position of the other rows.

    Args:
        msa_dim: Width in and out.
        num_heads: Heads; each is `msa_dim / num_heads` wide.

    Source: Rao et al. 2021 (MSA Transformer), section 3.
    """

    def __init__(self, msa_dim: int, *, num_heads: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.norm = nn.LayerNorm(msa_dim)
        self.query_key_value = nn.Linear(msa_dim, 3 * msa_dim)
        self.output = nn.Linear(msa_dim, msa_dim)

    def updates(
        self, msa: Float[Tensor, "rows length msa_dim"]
    ) -> Iterator[Float[Tensor, "rows block msa_dim"]]:
        """Yields the update in blocks of columns."""
        depth, length, dim = msa.shape
        for columns in block_slices(length, 7 * depth * dim * msa.element_size()):
            x = self.norm(rearrange(msa[:, columns], "r l d -> (l r) d"))
            q, k, v = self.query_key_value(x).unflatten(-1, (3, self.num_heads, -1)).unbind(1)
            segments = layout_of([depth] * (columns.stop - columns.start), msa.device)
            attended = self.output(attend(q, k, v, segments).flatten(1))
            yield rearrange(attended, "(l r) d -> r l d", r=depth)

    def forward(
        self, msa: Float[Tensor, "rows length msa_dim"]
    ) -> Float[Tensor, "rows length msa_dim"]:
        """Returns the update, without the residual."""
        return join(self.updates(msa), 1, msa.shape[1])
