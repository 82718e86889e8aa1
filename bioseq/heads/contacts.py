"""The contact head: attention maps to the probability that two residues touch."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn


def symmetrize(maps: Float[Tensor, "maps length length"]) -> Float[Tensor, "maps length length"]:
    """Adds each map to its transpose."""
    return maps + maps.mT


def correct_average_product(
    maps: Float[Tensor, "maps length length"],
) -> Float[Tensor, "maps length length"]:
    """Takes from each entry what its row's and its column's sums let expect.

    Source: Dunn, Wahl, Gloor 2008, equation 1 (APC).
    """
    rows, columns = maps.sum(dim=-1, keepdim=True), maps.sum(dim=-2, keepdim=True)
    return maps - rows * columns / maps.sum(dim=(-1, -2), keepdim=True)


class ContactHead(nn.Module):
    """A logistic regression over all attention maps of a model, symmetrised and APC-corrected.

    It serves every model with attention maps: ESM-1b and ESM-2, and the MSA Transformer with its
    row attention. Sequences are scored one by one, so that none sees another's padding.

    Args:
        num_maps: Layers times heads.

    Source: Rao et al. 2021 (Transformer protein language models are unsupervised structure
        learners), section 3.
    """

    def __init__(self, num_maps: int) -> None:
        super().__init__()
        self.regression = nn.Linear(num_maps, 1)

    @property
    def num_maps(self) -> int:
        """Layers times heads."""
        return self.regression.in_features

    def forward(self, maps: Float[Tensor, "maps length length"]) -> Float[Tensor, "length length"]:
        """Returns the contact probabilities of one sequence.

        Args:
            maps: Attention maps, layer by layer and within a layer head by head, with the rows and
                columns of special tokens removed.
        """
        return (self.score(maps) + self.regression.bias).sigmoid()

    def score(
        self, maps: Float[Tensor, "some length length"], *, first: int = 0
    ) -> Float[Tensor, "length length"]:
        """Returns what some of the maps add to the logits, which is bias plus the sum over all.

        Layer by layer, it spares the memory of all maps at once.

        Args:
            maps: Consecutive maps, specials removed.
            first: Number of the first of them among all maps.
        """
        weights = self.regression.weight[0, first : first + len(maps)]
        corrected = correct_average_product(symmetrize(maps))
        return torch.einsum("m,mij->ij", weights, corrected)
