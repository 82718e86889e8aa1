"""Segment convolution against a sum over taps."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from bioseq.batch import layout_of
from bioseq.nn.convolution import ConvolutionStack, SegmentConvolution


@given(
    lengths=st.lists(st.integers(1, 12), min_size=1, max_size=5),
    kernel=st.sampled_from([1, 3, 5]),
    dilation=st.integers(1, 4),
    seed=st.integers(0, 100),
)
def test_a_convolution_is_a_sum_over_taps_within_each_segment(
    lengths: list[int], kernel: int, dilation: int, seed: int
) -> None:
    torch.manual_seed(seed)
    layer = SegmentConvolution(3, 2, kernel=kernel, dilation=dilation)
    layout = layout_of(lengths)
    x = torch.randn(layout.num_tokens, 3)
    weight = layer.convolution.weight.detach().numpy()
    bias = layer.convolution.bias
    assert bias is not None
    expected = np.tile(bias.detach().numpy(), (layout.num_tokens, 1))
    for start, length in zip(layout.starts, lengths, strict=True):
        for place in range(length):
            for tap in range(kernel):
                source = place + (tap - kernel // 2) * dilation
                if 0 <= source < length:
                    expected[start + place] += weight[:, :, tap] @ x[start + source].numpy()
    ours = layer(x, layout).detach().numpy()
    np.testing.assert_allclose(ours, expected, rtol=1e-5, atol=1e-6)


def test_a_stack_reaches_as_far_as_it_says() -> None:
    torch.manual_seed(0)
    stack = ConvolutionStack(4, kernel=5, dilations=(1, 2, 4))
    layout = layout_of([80])
    x = torch.randn(80, 4)
    changed = x.clone()
    changed[40, 0] += 1
    before, after = stack(x, layout)[-1], stack(changed, layout)[-1]
    touched = (before != after).any(dim=1).nonzero()[:, 0]
    assert (touched.min(), touched.max()) == (40 - stack.reach, 40 + stack.reach)


def test_a_stack_without_blocks_gives_its_input() -> None:
    x = torch.randn(5, 4)
    [state] = ConvolutionStack(4, kernel=3, dilations=())(x, layout_of([5]))
    assert torch.equal(state, x)
