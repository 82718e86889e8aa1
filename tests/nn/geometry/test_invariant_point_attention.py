"""Invariant point attention: invariance, masks, blocks and gradients."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from bioseq.nn.axial import block_memory
from bioseq.nn.geometry import InvariantPointAttention, Rigid
from tests.nn.geometry.frames import make_frames

BATCH, LENGTH, DIM, PAIR_DIM = 2, 7, 10, 6


@pytest.fixture
def attention() -> InvariantPointAttention:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return InvariantPointAttention(
            DIM, PAIR_DIM, num_heads=2, head_dim=4, num_query_points=3, num_value_points=5
        )


def inputs(length: int = LENGTH) -> tuple[Tensor, Tensor, Rigid, Tensor]:
    generator = torch.Generator().manual_seed(1)
    single = torch.randn(BATCH, length, DIM, generator=generator)
    pair = torch.randn(BATCH, length, length, PAIR_DIM, generator=generator)
    frames = make_frames(BATCH, length, generator=generator, dtype=torch.float32)
    return single, pair, frames, torch.ones(BATCH, length, dtype=torch.bool)


def test_moving_all_frames_together_changes_nothing(attention: InvariantPointAttention) -> None:
    single, pair, frames, mask = inputs()
    generator = torch.Generator().manual_seed(2)
    motion = make_frames(1, 1, generator=generator, dtype=torch.float32)
    far = Rigid(motion.rotation, motion.translation + 3)
    moved = far.compose(frames)
    ours, other = (attention(single, pair, f, mask) for f in (frames, moved))
    assert_close(ours, other, rtol=1e-4, atol=1e-4)


def test_moving_one_frame_changes_the_result(attention: InvariantPointAttention) -> None:
    single, pair, frames, mask = inputs()
    translation = frames.translation.clone()
    translation[0, 3] += 1
    moved = attention(single, pair, Rigid(frames.rotation, translation), mask)
    assert (moved - attention(single, pair, frames, mask))[0].abs().max() > 1e-3


def test_padding_changes_no_real_residue(attention: InvariantPointAttention) -> None:
    single, pair, frames, mask = inputs()
    mask[:, 5:] = False
    padded = attention(single, pair, frames, mask)[:, :5]
    cut = Rigid(frames.rotation[:, :5], frames.translation[:, :5])
    alone = attention(single[:, :5], pair[:, :5, :5], cut, mask[:, :5])
    assert_close(padded, alone, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("num_bytes", [1, 2_000, 6_000])
def test_the_size_of_a_block_changes_nothing(
    attention: InvariantPointAttention, num_bytes: int
) -> None:
    whole = attention(*inputs())
    with block_memory(num_bytes):
        assert_close(attention(*inputs()), whole, rtol=1e-6, atol=1e-6)


def test_gradients_are_those_of_finite_differences(attention: InvariantPointAttention) -> None:
    single, pair, frames, mask = inputs(length=3)
    mask[0, 2] = False
    attention.double()

    def update(single: Tensor, pair: Tensor, translation: Tensor, weights: Tensor) -> Tensor:
        parameters = {"point_weights": weights}
        placed = Rigid(frames.rotation.double(), translation)
        return torch.func.functional_call(attention, parameters, (single, pair, placed, mask))[mask]

    variables = [single, pair, frames.translation, attention.point_weights.detach()]
    assert torch.autograd.gradcheck(update, [v.double().requires_grad_() for v in variables])
