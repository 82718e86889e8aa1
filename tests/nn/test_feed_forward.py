"""The feed-forward block, written out."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional

from bioseq.nn.feed_forward import Activation, FeedForward


@pytest.mark.parametrize("gated", [False, True])
@pytest.mark.parametrize("activation", ["gelu", "relu", "silu"])
@pytest.mark.parametrize("bias", [False, True])
@torch.no_grad()
def test_the_block_is_its_formula(activation: Activation, gated: bool, bias: bool) -> None:
    torch.manual_seed(0)
    block = FeedForward(6, 8, activation=activation, gated=gated, bias=bias)
    assert (block.up.bias is not None) == bias
    x = torch.randn(5, 6)
    hidden = x @ block.up.weight.T + (block.up.bias if bias else 0)
    apply = {"gelu": nn.GELU(), "relu": functional.relu, "silu": nn.SiLU()}[activation]
    inner = apply(hidden[:, :8]) * hidden[:, 8:] if gated else apply(hidden)
    expected = inner @ block.down.weight.T + (block.down.bias if bias else 0)
    torch.testing.assert_close(block(x), expected)
