"""Column attention of many rows: one query for each column and head."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from einops import rearrange
from jaxtyping import Bool, Float
from torch import Tensor, nn

from bioseq.nn.attention import attend_dense
from bioseq.nn.axial.blocking import block_slices, join
from bioseq.nn.axial.row_bias import mask_bias

_EPS = 1e-10  # in the mean over a column without real cells


class MSAGlobalColumnAttention(nn.Module):
    """Global column attention: the mean of a column asks, every row gates the one answer.

    All heads share keys and values, so the cost grows with the number of rows, not its square.

    Args:
        msa_dim: Width of the MSA representation (c_m).
        num_heads: Heads.
        head_dim: Width of a head (c).

    Source: Jumper et al. 2021, supplement, algorithm 19.
    """

    def __init__(self, msa_dim: int, *, num_heads: int, head_dim: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        inner_dim = num_heads * head_dim
        self.norm = nn.LayerNorm(msa_dim)
        self.query = nn.Linear(msa_dim, inner_dim, bias=False)
        self.key_value = nn.Linear(msa_dim, 2 * head_dim, bias=False)
        self.gate = nn.Linear(msa_dim, inner_dim)
        self.output = nn.Linear(inner_dim, msa_dim)
        nn.init.zeros_(self.gate.weight)
        nn.init.ones_(self.gate.bias)
        nn.init.zeros_(self.output.weight)
        nn.init.zeros_(self.output.bias)

    def updates(
        self, msa: Float[Tensor, "rows length msa_dim"], mask: Bool[Tensor, "rows length"]
    ) -> Iterator[Float[Tensor, "rows block msa_dim"]]:
        """Yields the update in blocks of columns."""
        floats_per_cell = 2 * self.norm.normalized_shape[0] + 2 * self.gate.out_features
        bytes_per_column = len(msa) * floats_per_cell * msa.element_size()
        for columns in block_slices(msa.shape[1], bytes_per_column):
            x = self.norm(msa[:, columns])
            answer = self._answer(x, mask[:, columns])
            yield self.output(answer * torch.sigmoid(self.gate(x)))

    def forward(
        self, msa: Float[Tensor, "rows length msa_dim"], mask: Bool[Tensor, "rows length"]
    ) -> Float[Tensor, "rows length msa_dim"]:
        """Returns the update, without the residual."""
        return join(self.updates(msa, mask), 1, msa.shape[1])

    def _answer(
        self, x: Float[Tensor, "rows block msa_dim"], mask: Bool[Tensor, "rows block"]
    ) -> Float[Tensor, "block inner_dim"]:
        weights = mask.to(x)
        mean = torch.einsum("rld,rl->ld", x, weights) / (weights.sum(dim=0) + _EPS)[:, None]
        # The heads stand in the place of queries, since they share keys and values.
        q = rearrange(self.query(mean), "l (h d) -> l h 1 d", h=self.num_heads)
        k, v = rearrange(self.key_value(x), "r l (two d) -> two l r 1 d", two=2)
        bias = rearrange(mask_bias(mask, x.dtype), "r l -> l 1 1 r")
        return rearrange(attend_dense(q, k, v, bias=bias), "l h 1 d -> l (h d)")
