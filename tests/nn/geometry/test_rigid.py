"""Frames and quaternions obey the laws of rigid motions."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.testing import assert_close

from bioseq.nn.geometry import Rigid, quaternion_to_rotation, update_quaternion
from tests.nn.geometry.frames import make_frames


def random_points(*shape: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, 3, generator=generator, dtype=torch.float64)


def random_frames(*shape: int, seed: int = 0) -> Rigid:
    return make_frames(*shape, generator=torch.Generator().manual_seed(seed))


def random_quaternions(count: int) -> Tensor:
    quaternions = torch.randn(count, 4, generator=torch.Generator().manual_seed(3)).double()
    return quaternions / quaternions.norm(dim=-1, keepdim=True)


def assert_rotations(rotation: Tensor) -> None:
    identity = torch.eye(3, dtype=rotation.dtype).expand_as(rotation)
    assert_close(rotation @ rotation.mT, identity, rtol=0, atol=1e-12)
    assert_close(torch.linalg.det(rotation), torch.ones_like(rotation[..., 0, 0]))


def test_composition_applies_the_second_frame_first() -> None:
    first, second, points = random_frames(4), random_frames(4, seed=1), random_points(4, seed=2)
    assert_close(first.compose(second).apply(points), first.apply(second.apply(points)))


def test_the_inverse_undoes_the_frame() -> None:
    frames, points = random_frames(4), random_points(4, seed=2)
    assert_close(frames.apply_inverse(frames.apply(points)), points)
    assert_close(frames.apply(frames.apply_inverse(points)), points)


def test_inserted_axes_broadcast_over_the_points_of_a_frame() -> None:
    frames, points = random_frames(2, 4), random_points(2, 4, 5, 6, seed=2)
    placed = frames.insert(-1, -1).apply(points)
    one = Rigid(frames.rotation[1, 2], frames.translation[1, 2])
    assert_close(placed[1, 2, 3, 4], one.apply(points[1, 2, 3, 4]))


def test_unit_quaternions_are_rotations_and_opposite_ones_the_same() -> None:
    quaternions = random_quaternions(20)
    rotation = quaternion_to_rotation(quaternions)
    assert_rotations(rotation)
    assert torch.equal(quaternion_to_rotation(-quaternions), rotation)


def test_an_update_is_a_rotation_about_the_frames_own_axes() -> None:
    quaternions, update = random_quaternions(20), random_points(20)
    alone = torch.tensor([1.0, 0, 0, 0], dtype=torch.float64).expand(20, 4)
    turn = quaternion_to_rotation(update_quaternion(alone, update))
    updated = update_quaternion(quaternions, update)
    assert_close(quaternion_to_rotation(updated), quaternion_to_rotation(quaternions) @ turn)
    assert_close(updated.norm(dim=-1), torch.ones(20, dtype=torch.float64))


def test_an_update_of_zero_changes_nothing() -> None:
    quaternions = random_quaternions(20)
    assert_close(update_quaternion(quaternions, torch.zeros(20, 3).double()), quaternions)
