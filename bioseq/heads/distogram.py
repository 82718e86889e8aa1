"""The distogram head: pairs to logits over distances."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn


class DistogramHead(nn.Module):
    """A linear map made symmetric by adding its transpose.

    The bins have equal width between the first and the last edge; the first and the last bin are
    open.

    Args:
        pair_dim: Width of the pair representation (c_z).
        num_bins: Bins.
        first_edge: Upper edge of the first bin, in Ångström.
        last_edge: Lower edge of the last bin, in Ångström.

    Source: Jumper et al. 2021, supplement, section 1.9.8.
    """

    def __init__(
        self,
        pair_dim: int,
        *,
        num_bins: int = 64,
        first_edge: float = 2.3125,
        last_edge: float = 21.6875,
    ) -> None:
        super().__init__()
        self.linear = nn.Linear(pair_dim, num_bins)
        self.num_bins = num_bins
        self.first_edge = first_edge
        self.last_edge = last_edge

    @property
    def edges(self) -> Float[Tensor, " edges"]:
        """The edges between bins, in Ångström."""
        return torch.linspace(self.first_edge, self.last_edge, self.num_bins - 1)

    def forward(
        self, pair: Float[Tensor, "length length pair_dim"]
    ) -> Float[Tensor, "length length bins"]:
        """Returns the logits."""
        half = self.linear(pair)
        return half + half.transpose(0, 1)
