"""Heads of AlphaFold 2 that need no structure: masked MSA and experimentally resolved atoms."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn


class MaskedMSAHead(nn.Module):
    """MSA representation to logits over residue types.

    Args:
        msa_dim: Width of the MSA representation (c_m).
        num_types: Twenty residues, unknown, gap and mask.

    Source: Jumper et al. 2021, supplement, section 1.9.9.
    """

    def __init__(self, msa_dim: int, *, num_types: int = 23) -> None:
        super().__init__()
        self.linear = nn.Linear(msa_dim, num_types)

    def forward(
        self, msa: Float[Tensor, "rows length msa_dim"]
    ) -> Float[Tensor, "rows length types"]:
        """Returns the logits."""
        return self.linear(msa)


class ResolvedHead(nn.Module):
    """Single representation to logits of each atom being resolved in the experiment.

    Args:
        single_dim: Width of the single representation (c_s).
        num_atoms: Atoms in AlphaFold's order.

    Source: Jumper et al. 2021, supplement, section 1.9.10.
    """

    def __init__(self, single_dim: int, *, num_atoms: int = 37) -> None:
        super().__init__()
        self.linear = nn.Linear(single_dim, num_atoms)

    def forward(self, single: Float[Tensor, "length single_dim"]) -> Float[Tensor, "length atoms"]:
        """Returns the logits."""
        return self.linear(single)
