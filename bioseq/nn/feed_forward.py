"""The position-wise feed-forward block of a Transformer layer."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

# Hidden values at a time: what is larger leaves the cache, and glibc maps it anew at every call.
_HIDDEN_VALUES = 1 << 22

Activation = Literal["gelu", "gelu_tanh", "relu", "silu"]
ACTIVATIONS: dict[Activation, Callable[[Tensor], Tensor]] = {
    "gelu": functional.gelu,
    "gelu_tanh": partial(functional.gelu, approximate="tanh"),
    "relu": functional.relu,
    "silu": functional.silu,
}


class FeedForward(nn.Module):
    """Two linear maps with an activation between, or a gated product of two.

    Args:
        dim: Width in and out.
        hidden_dim: Width between.
        activation: Applied to the hidden layer, or to its gate.
        gated: Multiply the activated half by a second linear map of the input.
        bias: Whether the linear maps have biases.

    Source: Vaswani et al. 2017, section 3.3; gated: Shazeer 2020.
    """

    def __init__(
        self, dim: int, hidden_dim: int, *, activation: Activation, gated: bool, bias: bool
    ) -> None:
        super().__init__()
        self.activation = ACTIVATIONS[activation]
        self.gated = gated
        self.up = nn.Linear(dim, hidden_dim * (2 if gated else 1), bias=bias)
        self.down = nn.Linear(hidden_dim, dim, bias=bias)

    def forward(self, x: Float[Tensor, "tokens dim"]) -> Float[Tensor, "tokens dim"]:
        """Transforms each token by itself."""
        if torch.is_grad_enabled() or not x.is_cpu:
            return self._transform(x)
        rows = max(1, _HIDDEN_VALUES // self.up.out_features)
        return torch.cat([self._transform(part) for part in x.split(rows)])

    def _transform(self, x: Float[Tensor, "tokens dim"]) -> Float[Tensor, "tokens dim"]:
        hidden = self.up(x)
        if not self.gated:
            return self.down(self.activation(hidden))
        gate, linear = hidden.chunk(2, dim=-1)
        return self.down(self.activation(gate) * linear)
