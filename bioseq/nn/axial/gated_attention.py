"""Attention along one axis with a gate on every head: the core of all axial attention."""

from __future__ import annotations

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn

from bioseq.nn.attention import attend_dense


class GatedAttention(nn.Module):
    """Multi-head self-attention within each row; the attended values pass a sigmoid gate.

    One matrix product makes queries, keys, values and gates. At the start of training the gates
    stand open alike and the output is zero, as the paper says.

    Args:
        dim: Width in and out.
        num_heads: Heads.
        head_dim: Width of a head.

    Source: Jumper et al. 2021, supplement, algorithm 7.
    """

    def __init__(self, dim: int, *, num_heads: int, head_dim: int) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.inner_dim = num_heads * head_dim
        self.projection = nn.Linear(dim, 4 * self.inner_dim, bias=False)
        self.gate_bias = nn.Parameter(torch.ones(self.inner_dim))
        self.output = nn.Linear(self.inner_dim, dim)
        nn.init.zeros_(self.projection.weight.data[3 * self.inner_dim :])
        nn.init.zeros_(self.output.weight)
        nn.init.zeros_(self.output.bias)

    def forward(
        self,
        x: Float[Tensor, "rows length dim"],
        bias: Float[Tensor, "#rows #heads #length length"],
    ) -> Float[Tensor, "rows length dim"]:
        """Attends within each row.

        Args:
            x: Normalised states.
            bias: Added to the logits, the mask included.
        """
        *qkv, gate = self.projection(x).chunk(4, dim=-1)
        q, k, v = (rearrange(part, "r l (h d) -> r l h d", h=self.num_heads) for part in qkv)
        attended = rearrange(attend_dense(q, k, v, bias=bias), "r l h d -> r l (h d)")
        return self.output(attended * torch.sigmoid(gate + self.gate_bias))

    def bytes_per_row(self, length: int) -> int:
        """Returns the approximate memory of one row while it is worked on."""
        dim = self.output.out_features
        return length * (2 * dim + 6 * self.inner_dim) * self.output.weight.element_size()
