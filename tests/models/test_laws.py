"""What holds for every encoder."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor

from bioseq.batch import PackedBatch
from bioseq.errors import OptionError
from bioseq.models import Encoder, build_encoder, encoder_config

Pack = Callable[[Sequence[Tensor]], PackedBatch]
Draw = Callable[[Sequence[int], int], list[Tensor]]

LENGTHS = [7, 1, 21, 21, 2, 40]
EXAMPLES = settings(
    max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)


def _close(ours: Tensor, theirs: Tensor) -> None:
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-6)


@EXAMPLES
@given(
    lengths=st.lists(st.integers(1, 40), min_size=1, max_size=7),
    seed=st.integers(0, 1000),
    shuffle=st.randoms(use_true_random=False),
)
@torch.no_grad()
def test_a_sequence_encodes_alike_alone_and_in_any_batch(
    encoder: Encoder,
    pack_tokens: Pack,
    draw_tokens: Draw,
    lengths: list[int],
    seed: int,
    shuffle: random.Random,
) -> None:
    sequences = draw_tokens(lengths, seed)
    shuffle.shuffle(sequences)
    batch = pack_tokens(sequences)
    layers = range(encoder.num_layers + 1)
    together = encoder(batch, layers=layers)
    assert (together.cells is not None) == encoder.has_cells
    for b, sequence in enumerate(sequences):
        alone = encoder(pack_tokens([sequence]), layers=layers)
        start = batch.layout.starts[b]
        for ours, theirs in zip(alone.states, together.states, strict=True):
            _close(ours, theirs[start : start + len(sequence)])
        if alone.cells is not None and together.cells is not None:
            _close(alone.cells[0], together.cells[b])


@torch.no_grad()
def test_no_segment_sees_another(encoder: Encoder, pack_tokens: Pack, draw_tokens: Draw) -> None:
    sequences = draw_tokens(LENGTHS, 0)
    batch = pack_tokens(sequences)
    before = list(batch.layout.split(encoder(batch).states[0]))
    for changed in range(len(sequences)):
        others = list(sequences)
        others[changed] = (sequences[changed] - 4 + 3) % 8 + 4
        after = list(batch.layout.split(encoder(pack_tokens(others)).states[0]))
        for b in range(len(sequences)):
            if b == changed:
                assert not torch.allclose(before[b], after[b], atol=1e-4)
            else:
                torch.testing.assert_close(before[b], after[b], rtol=0, atol=1e-6)


@torch.no_grad()
def test_layers_come_as_asked(encoder: Encoder, pack_tokens: Pack, draw_tokens: Draw) -> None:
    batch = pack_tokens(draw_tokens(LENGTHS, 0))
    last = encoder.num_layers
    every = encoder(batch, layers=range(last + 1)).states
    asked = [-1, 0, last, -last - 1, 0]
    for layer, state in zip(asked, encoder(batch, layers=asked).states, strict=True):
        assert torch.equal(state, every[layer])
    assert not torch.equal(every[0], every[last])
    assert every[-1].shape == (sum(LENGTHS), encoder.dim)
    assert torch.equal(encoder(batch).states[0], every[-1])


def test_a_layer_that_does_not_exist_is_refused(
    encoder: Encoder, pack_tokens: Pack, draw_tokens: Draw
) -> None:
    batch = pack_tokens(draw_tokens([3], 0))
    for layer in (encoder.num_layers + 1, -encoder.num_layers - 2):
        with pytest.raises(OptionError, match=f"layer is {layer}"):
            encoder(batch, layers=(layer,))


def test_gradients_reach_every_parameter(
    encoder: Encoder, pack_tokens: Pack, draw_tokens: Draw
) -> None:
    # Longer than the largest relative distance, and with every token.
    batch = pack_tokens([*draw_tokens([60, 33, 33, 1], 0), torch.arange(12)])
    state = encoder(batch).states[0]
    weights = torch.randn(state.shape, generator=torch.Generator().manual_seed(2))
    (state * weights).sum().backward()
    for name, parameter in encoder.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


@torch.no_grad()
def test_half_precision_runs_and_stays_near(
    encoder: Encoder, pack_tokens: Pack, draw_tokens: Draw
) -> None:
    batch = pack_tokens(draw_tokens(LENGTHS, 0))
    exact = encoder(batch).states[0]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = encoder(batch).states[0]
    rounded = encoder.bfloat16()(batch).states[0]
    assert rounded.dtype == torch.bfloat16
    for state in (mixed, rounded):
        assert (state.float() - exact).abs().mean() < 0.05 * exact.abs().mean()


def test_the_config_makes_the_same_encoder_again(encoder: Encoder) -> None:
    again = build_encoder(encoder_config(encoder))
    again.load_state_dict(encoder.state_dict())
    assert again.config == encoder.config
