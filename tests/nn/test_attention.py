"""Attention within segments against its definition."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from bioseq.batch import layout_of
from bioseq.nn.attention import attend, attention_maps


def _draw(tokens: int, seed: int, *, heads: int = 3, head_dim: int = 4) -> list[Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(tokens, heads, head_dim, generator=generator) for _ in range(3)]


def _attend_by_loop(q: Tensor, k: Tensor, v: Tensor, bias: Tensor | None, scale: float) -> Tensor:
    rows = torch.zeros_like(q)
    for head in range(q.shape[1]):
        for i in range(len(q)):
            logits = torch.stack([q[i, head] @ k[j, head] * scale for j in range(len(k))])
            if bias is not None:
                logits = logits + bias[head, i, : len(k)]
            weights = logits.exp() / logits.exp().sum()
            rows[i, head] = (weights[:, None] * v[:, head]).sum(dim=0)
    return rows


@settings(max_examples=25)
@given(
    lengths=st.lists(st.integers(1, 9), min_size=1, max_size=6),
    seed=st.integers(0, 100),
    biased=st.booleans(),
    scale=st.sampled_from([None, 1.0]),
)
def test_attention_is_its_definition_in_every_segment(
    lengths: list[int], seed: int, biased: bool, scale: float | None
) -> None:
    layout = layout_of(lengths)
    q, k, v = _draw(layout.num_tokens, seed)
    bias = torch.randn(3, 9, 9, generator=torch.Generator().manual_seed(seed)) if biased else None
    ours = attend(q, k, v, layout, bias=bias, scale=scale)
    parts = zip(layout.split(q), layout.split(k), layout.split(v), strict=True)
    expected = [_attend_by_loop(a, b, c, bias, scale or 0.5) for a, b, c in parts]
    torch.testing.assert_close(ours, torch.cat(expected), rtol=1e-5, atol=1e-6)
    maps = attention_maps(q, k, layout, bias=bias, scale=scale)
    applied = [
        torch.einsum("hij,jhd->ihd", each, values)
        for each, values in zip(maps, layout.split(v), strict=True)
    ]
    torch.testing.assert_close(torch.cat(applied), ours, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("biased", [False, True])
def test_attention_has_the_gradient_of_its_definition(biased: bool) -> None:
    layout = layout_of([2, 3, 3, 1])
    qkv = [x.double().requires_grad_() for x in _draw(layout.num_tokens, 0, heads=2, head_dim=2)]
    bias = torch.randn(2, 3, 3, dtype=torch.float64, requires_grad=True) if biased else None
    inputs = [*qkv, bias] if biased else qkv
    assert torch.autograd.gradcheck(lambda q, k, v, b=None: attend(q, k, v, layout, bias=b), inputs)
