"""The language-model head: token states to logits over the vocabulary."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional


class LanguageHead(nn.Module):
    """A dense layer with GELU and norm, then a linear map to the vocabulary.

    Args:
        dim: Width of the token states.
        vocabulary_size: Tokens.
        norm_eps: Added to the variance.

    Source: Devlin et al. 2019, appendix A; Rives et al. 2021.
    """

    def __init__(self, dim: int, vocabulary_size: int, *, norm_eps: float = 1e-5) -> None:
        super().__init__()
        self.dense = nn.Linear(dim, dim)
        self.norm = nn.LayerNorm(dim, eps=norm_eps)
        self.output = nn.Linear(dim, vocabulary_size)

    def forward(self, states: Float[Tensor, "tokens dim"]) -> Float[Tensor, "tokens vocabulary"]:
        """Returns the logits."""
        return self.output(self.norm(functional.gelu(self.dense(states))))
