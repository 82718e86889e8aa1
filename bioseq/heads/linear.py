"""The plain language-model head: one linear map of the token states."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn


class LinearHead(nn.Module):
    """A linear map to the tokens that a model predicts: the first ones of its vocabulary.

    Args:
        dim: Width of the token states.
        num_classes: Tokens it can predict.

    Source: Alley et al. 2019 (UniRep).
    """

    def __init__(self, dim: int, num_classes: int) -> None:
        super().__init__()
        self.output = nn.Linear(dim, num_classes)

    def forward(self, states: Float[Tensor, "tokens dim"]) -> Float[Tensor, "tokens classes"]:
        """Returns the logits."""
        return self.output(states)
