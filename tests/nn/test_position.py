"""Positional encodings against their papers."""

from __future__ import annotations

import cmath
import math

import numpy as np
import pytest
import torch

from bioseq.nn.position import (
    RelativeBias,
    Rotary,
    alibi_bias,
    alibi_slopes,
    rotate,
    sinusoidal_positions,
)


def test_sinusoids_follow_the_paper() -> None:
    ours = sinusoidal_positions(torch.tensor([0, 1, 17, 900]), 10)
    for row, position in zip(ours, (0, 1, 17, 900), strict=True):
        for i in range(5):
            angle = position / 10_000 ** (2 * i / 10)
            assert row[2 * i].item() == pytest.approx(math.sin(angle), abs=2e-4)
            assert row[2 * i + 1].item() == pytest.approx(math.cos(angle), abs=2e-4)


def test_rotary_multiplies_complex_numbers() -> None:
    head_dim, positions = 8, [0, 1, 5, 300]
    x = torch.randn(len(positions), 3, head_dim, generator=torch.Generator().manual_seed(0))
    ours = rotate(x, *Rotary(head_dim).angles(torch.tensor(positions)))
    for t, position in enumerate(positions):
        for head in range(3):
            for i in range(head_dim // 2):
                number = complex(x[t, head, i], x[t, head, i + head_dim // 2])
                turned = number * cmath.exp(1j * position * 10_000 ** (-2 * i / head_dim))
                found = complex(ours[t, head, i], ours[t, head, i + head_dim // 2])
                assert found == pytest.approx(turned, abs=1e-4)


def test_rotary_products_depend_on_the_distance_alone() -> None:
    generator = torch.Generator().manual_seed(0)
    q, k = (torch.randn(1, 1, 16, generator=generator) for _ in range(2))
    rotary = Rotary(16)

    def product(i: int, j: int) -> torch.Tensor:
        turned = [rotate(x, *rotary.angles(torch.tensor([place]))) for x, place in ((q, i), (k, j))]
        return (turned[0] * turned[1]).sum()

    torch.testing.assert_close(product(3, 10), product(203, 210), rtol=1e-4, atol=1e-4)
    assert not torch.allclose(product(3, 10), product(10, 3))


@pytest.mark.parametrize(
    ("num_heads", "published"),
    [
        (8, [1 / 2**n for n in range(1, 9)]),
        # The slopes for 12 heads that the paper's authors give: those of 8 heads, then every
        # other one of 16.
        (12, [1 / 2**n for n in range(1, 9)] + [2**-0.5, 2**-1.5, 2**-2.5, 2**-3.5]),
    ],
)
def test_alibi_slopes_are_the_published_ones(num_heads: int, published: list[float]) -> None:
    assert alibi_slopes(num_heads).tolist() == pytest.approx(published)


def test_alibi_bias_falls_with_the_distance_on_both_sides() -> None:
    bias = alibi_bias(8, 4, torch.device("cpu"))
    expected = [[-abs(i - j) / 4 for j in range(4)] for i in range(4)]
    np.testing.assert_allclose(bias[1].numpy(), expected)


@pytest.mark.parity
@pytest.mark.parametrize(("buckets", "distance"), [(32, 128), (16, 40), (8, 20)])
def test_relative_buckets_are_those_of_t5(buckets: int, distance: int) -> None:
    from transformers.models.t5.modeling_t5 import T5Attention

    place = torch.arange(300)
    expected = T5Attention._relative_position_bucket(
        place[None, :] - place[:, None], num_buckets=buckets, max_distance=distance
    )
    ours = RelativeBias(2, buckets, distance).buckets(300)
    assert torch.equal(ours, expected)
    assert ours.unique().tolist() == [n for n in range(buckets) if n != buckets // 2]


def test_a_relative_bias_is_its_buckets_weight() -> None:
    relative = RelativeBias(2, 8, 20)
    bias, buckets = relative(30), relative.buckets(30)
    assert bias.shape == (2, 30, 30)
    assert torch.equal(bias[1, 4, 29], relative.weight[buckets[4, 29], 1])
    assert torch.equal(relative(12), bias[:, :12, :12])
