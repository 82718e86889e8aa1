"""Predicted lDDT: how well each residue's surroundings are thought to be placed.

Source: Jumper et al. 2021, supplementary algorithm 29; an lDDT for each atom, without ReLU: Lin et
al. 2023.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn


class LDDTHead(nn.Module):
    """A norm and three linear maps from a residue's state to logits over bins of lDDT.

    Args:
        dim: Width of the states.
        hidden_dim: Width between.
        num_bins: Bins that cut 0 to 100 evenly.
        num_atoms: Atoms of a residue that each get logits of their own.
        relu: ReLU between the linear maps; without it all three are one map.
    """

    def __init__(
        self,
        dim: int,
        hidden_dim: int,
        *,
        num_bins: int = 50,
        num_atoms: int = 1,
        relu: bool = True,
    ) -> None:
        super().__init__()
        self.num_bins = num_bins
        self.norm = nn.LayerNorm(dim)
        self.first = nn.Linear(dim, hidden_dim)
        self.second = nn.Linear(hidden_dim, hidden_dim)
        self.output = nn.Linear(hidden_dim, num_atoms * num_bins)
        self.activation = nn.ReLU() if relu else nn.Identity()

    def forward(
        self, states: Float[Tensor, "*residues dim"]
    ) -> Float[Tensor, "*residues atoms bins"]:
        """Returns the logits."""
        hidden = self.activation(self.first(self.norm(states)))
        hidden = self.activation(self.second(hidden))
        return self.output(hidden).unflatten(-1, (-1, self.num_bins))


def expected_lddt(logits: Float[Tensor, "*residues bins"]) -> Float[Tensor, "*residues"]:
    """Returns the mean of the predicted distribution, from 0 to 100."""
    num_bins = logits.shape[-1]
    centers = (torch.arange(num_bins, device=logits.device) + 0.5) * (100 / num_bins)
    return (logits.softmax(dim=-1) * centers.to(logits)).sum(-1)
