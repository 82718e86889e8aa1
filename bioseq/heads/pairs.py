"""Pairs of residues: from the states of two residues and their separation to a row of outputs.

A pair is read once, in the order of the sequence; what is said of i and j holds for j and i.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from bioseq.batch import Layout

_PAIRS_AT_ONCE = 32_768
# A separation is told by how many of these it reaches.
_SEPARATIONS = (2, 3, 4, 5, 6, 8, 10, 12, 16, 20, 24, 32, 48, 64, 96)

PairPlaces = Int64[Tensor, "2 pairs"]
"""Places in their sequence of the first and the second residue of each pair."""


def pairs_of(
    length: int, device: torch.device | str = "cpu", *, at_once: int = _PAIRS_AT_ONCE
) -> Iterator[PairPlaces]:
    """Gives every pair of different residues once, in the order of `numpy.triu_indices`, in pieces.

    Args:
        length: Residues of the sequence.
        device: Where the indices are made.
        at_once: Pairs in a piece at most; more where one residue is the first of more.
    """
    start, last = 0, length - 1
    while start < last:
        stop, count = start + 1, last - start
        while stop < last and count + last - stop <= at_once:
            count += last - stop
            stop += 1
        yield torch.triu_indices(stop - start, length - start, 1, device=device) + start
        start = stop


class PairReadout(nn.Module):
    """Products and sums of two residues' projections and their separation, then a perceptron.

    The memory beyond the outputs is that of a piece of the pairs, in training too: there the pieces
    are computed again for the gradients.

    Args:
        dim: Width of the residue states.
        pair_dim: Width of a pair.
        output_dim: Numbers in a row of outputs.
        dropout: Share of a pair's hidden numbers that training hides.
    """

    bounds: Tensor

    def __init__(self, dim: int, pair_dim: int, output_dim: int, *, dropout: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.projection = nn.Linear(dim, 4 * pair_dim)
        self.product = nn.Linear(pair_dim, pair_dim, bias=False)
        self.separation = nn.Embedding(len(_SEPARATIONS) + 1, pair_dim)
        self.output = nn.Sequential(
            nn.LayerNorm(pair_dim),
            nn.GELU(),
            nn.Linear(pair_dim, pair_dim),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(pair_dim, output_dim),
        )
        self.register_buffer("bounds", torch.tensor(_SEPARATIONS), persistent=False)

    @property
    def flops_per_pair(self) -> float:
        """Multiply-adds times two for one pair."""
        weights = [*self.product.parameters(), *self.output.parameters()]
        return 2.0 * sum(weight.numel() for weight in weights if weight.dim() > 1)

    def forward(
        self, x: Float[Tensor, "residues dim"], layout: Layout
    ) -> Float[Tensor, "pairs output"]:
        """Gives the logits or values of the pairs of each sequence in turn, as `pairs_of` does."""
        projected, recompute = self.project(x), torch.is_grad_enabled()
        nothing = torch.empty(2, 0, dtype=torch.int64, device=x.device)
        outputs = [self.score(projected, nothing)]  # has gradients where no sequence has a pair
        for residues in layout.split(projected):
            for pairs in pairs_of(len(residues), x.device):
                outputs.append(
                    cast("Tensor", checkpoint(self.score, residues, pairs, use_reentrant=False))
                    if recompute
                    else self.score(residues, pairs)
                )
        return torch.cat(outputs)

    def project(self, x: Float[Tensor, "residues dim"]) -> Float[Tensor, "residues factors"]:
        """Returns what is needed of each residue."""
        return self.projection(self.norm(x))

    def score(
        self, residues: Float[Tensor, "residues factors"], pairs: PairPlaces
    ) -> Float[Tensor, "pairs output"]:
        """Returns the logits or values of some pairs.

        Args:
            residues: One sequence, projected.
            pairs: Of its residues.
        """
        as_first, as_second = residues.chunk(2, dim=-1)
        factor, term = as_first.index_select(0, pairs[0]).chunk(2, dim=-1)
        other_factor, other_term = as_second.index_select(0, pairs[1]).chunk(2, dim=-1)
        steps = torch.bucketize(pairs[1] - pairs[0], self.bounds, right=True)
        product = self.product(factor * other_factor)
        return self.output(product + term + other_term + self.separation(steps))
