"""How far an input lies from the training sequences."""

from __future__ import annotations

import torch

from bioseq.prediction.tasks.typicality import RARE, fit_typicality


def _draw(count: int, seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(count, 12, generator=generator) * torch.linspace(3, 0.1, 12)


def test_few_sequences_like_those_in_training_are_called_rare() -> None:
    typicality = fit_typicality(_draw(2000, 0), _draw(1000, 1), num_directions=4)
    found = typicality(_draw(1000, 2))
    assert (found < RARE).float().mean() < 0.04
    assert (found < 0.5).float().mean() > 0.3


def test_what_is_far_in_any_direction_is_rare() -> None:
    typicality = fit_typicality(_draw(2000, 0), _draw(1000, 1), num_directions=4)
    for axis in range(12):
        far = torch.zeros(1, 12)
        far[0, axis] = 40.0
        assert typicality(far).item() < RARE


def test_farther_is_never_more_typical() -> None:
    typicality = fit_typicality(_draw(500, 0), _draw(500, 1), num_directions=4)
    away = _draw(1, 3) - typicality.mean
    found = [typicality(typicality.mean + scale * away).item() for scale in (0, 1, 2, 4, 8, 16)]
    assert found == sorted(found, reverse=True)
