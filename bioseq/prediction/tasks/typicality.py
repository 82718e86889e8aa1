"""How far an input lies from the sequences that a predictor was trained on.

The mean state of a sequence is compared with those of the training sequences: the largest of two
distances, within the directions in which they vary most and outside of these. What is reported is
the share of held-out sequences that lie at least as far out, so that 0.01 means: one in a hundred
sequences like those in training looks as strange.

Source: Lee et al. 2018 (Mahalanobis distance of states as a test for foreign inputs).
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

QUANTILES = 201
RARE = 0.01
"""Inputs below this typicality are reported as unlike the training data."""


class Typicality(nn.Module):
    """The share of held-out sequences that are at least as unusual as a given one.

    Args:
        dim: Width of the states.
        num_directions: Directions of the largest variance that are compared one by one.
    """

    mean: Tensor
    directions: Tensor
    residual_scale: Tensor
    quantiles: Tensor

    def __init__(self, dim: int, num_directions: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(dim))
        self.register_buffer("directions", torch.zeros(num_directions, dim))
        self.register_buffer("residual_scale", torch.ones(1))
        self.register_buffer("quantiles", torch.zeros(2, QUANTILES))

    def distances(self, vectors: Float[Tensor, "sequences dim"]) -> Float[Tensor, "2 sequences"]:
        """Returns the distances within and outside of the main directions."""
        shifted = vectors - self.mean
        within = shifted @ self.directions.T
        basis = self.directions / self.directions.norm(dim=1, keepdim=True).clamp(min=1e-12)
        rest = shifted - (shifted @ basis.T) @ basis
        outside = rest.square().mean(dim=1).sqrt() / self.residual_scale
        return torch.stack([within.square().mean(dim=1).sqrt(), outside])

    def forward(self, vectors: Float[Tensor, "sequences dim"]) -> Float[Tensor, " sequences"]:
        """Returns the typicality, 0 to 1.

        Args:
            vectors: Mean state of each sequence's residues.
        """
        ranks = [
            torch.searchsorted(quantiles, distance.contiguous())
            for quantiles, distance in zip(self.quantiles, self.distances(vectors), strict=True)
        ]
        beyond = 1 - torch.stack(ranks).float() / QUANTILES
        return beyond.amin(dim=0)


def fit_typicality(
    training: Float[Tensor, "training dim"],
    held_out: Float[Tensor, "held_out dim"],
    *,
    num_directions: int = 16,
) -> Typicality:
    """Fits the distances to training sequences and their distribution to held-out ones.

    Args:
        training: Mean state of each training sequence.
        held_out: Mean state of each held-out sequence.
        num_directions: Directions that are compared one by one, as far as there are as many.
    """
    mean = training.mean(dim=0)
    count = min(num_directions, len(training) - 1, training.shape[1])
    _, spread, axes = torch.linalg.svd(training - mean, full_matrices=False)
    deviations = spread[:count] / max(1, len(training) - 1) ** 0.5
    found = Typicality(training.shape[1], count)
    found.mean.copy_(mean)
    found.directions.copy_(axes[:count] / deviations.clamp(min=1e-6)[:, None])
    found.residual_scale.copy_(found.distances(training)[1].median().clamp(min=1e-6)[None])
    levels = torch.linspace(0, 1, QUANTILES)
    found.quantiles.copy_(torch.quantile(found.distances(held_out), levels, dim=1).T)
    return found
