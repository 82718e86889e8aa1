"""The transition: the feed-forward block of the MSA and the pair representation."""

from __future__ import annotations

from collections.abc import Iterator

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from bioseq.nn.axial.blocking import block_slices, join


class Transition(nn.Module):
    """Norm, a wider layer with ReLU, and back.

    Args:
        dim: Width in and out.
        factor: How many times wider the hidden layer is (n).

    Source: Jumper et al. 2021, supplement, algorithms 9 and 15.
    """

    def __init__(self, dim: int, *, factor: int = 4) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.up = nn.Linear(dim, factor * dim)
        self.down = nn.Linear(factor * dim, dim)
        nn.init.zeros_(self.down.weight)
        nn.init.zeros_(self.down.bias)

    def updates(
        self, x: Float[Tensor, "rows length dim"]
    ) -> Iterator[Float[Tensor, "block length dim"]]:
        """Yields the update in blocks of rows."""
        floats_per_cell = 2 * (self.up.in_features + self.up.out_features)
        for rows in block_slices(len(x), x.shape[1] * floats_per_cell * x.element_size()):
            yield self.down(functional.relu(self.up(self.norm(x[rows]))))

    def forward(self, x: Float[Tensor, "rows length dim"]) -> Float[Tensor, "rows length dim"]:
        """Returns the update, without the residual."""
        return join(self.updates(x), 0, len(x))
