"""Where a head's input comes from: states of an encoder, by the number of the sequence."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

_MEANS_AT_ONCE = 32


class States(nn.Module, ABC):
    """Joined states of some layers of the labelled sequences; its parameters are trained.

    Attributes:
        dim: Width of the states.
        groups_lengths: Whether sequences of similar length are read faster together.
    """

    dim: int
    groups_lengths: bool = False

    @abstractmethod
    def forward(self, members: Int64[np.ndarray, " members"]) -> Float[Tensor, "residues dim"]:
        """Gives the states of some sequences, end to end, in float32."""

    def means(
        self,
        members: Int64[np.ndarray, " members"],
        lengths: Int64[np.ndarray, " sequences"],
    ) -> Float[Tensor, "members dim"]:
        """Gives the mean state of each of some sequences.

        Args:
            members: Their numbers.
            lengths: Residues of every sequence.
        """
        found = []
        with torch.inference_mode():
            for start in range(0, len(members), _MEANS_AT_ONCE):
                chosen = members[start : start + _MEANS_AT_ONCE]
                parts = self(chosen).split(lengths[chosen].tolist())
                found += [part.mean(dim=0) for part in parts]
        return torch.stack(found)
