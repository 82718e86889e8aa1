"""Confidence intervals by resampled sequences."""

from __future__ import annotations

import numpy as np
import pytest

from bioseq.evaluation import estimate
from bioseq.evaluation.metrics import accuracy


def _sequences(
    count: int, rows: int, share: float, seed: int
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Sequences that are right as a whole with a probability, or wrong as a whole."""
    rng = np.random.default_rng(seed)
    truths = [np.zeros((rows, 1)) for _ in range(count)]
    right = rng.random(count) < share
    return truths, [np.tile([1.0, 0.0] if r else [0.0, 1.0], (rows, 1)) for r in right]


def test_the_interval_covers_the_true_share_about_as_often_as_it_says() -> None:
    covered = 0
    for seed in range(60):
        found = estimate(accuracy, *_sequences(80, 5, 0.7, seed), resamples=100)
        covered += found.low <= 0.7 <= found.high
    assert 50 <= covered <= 60


def test_residues_of_one_sequence_do_not_narrow_the_interval() -> None:
    few = estimate(accuracy, *_sequences(80, 1, 0.7, 0))
    many = estimate(accuracy, *_sequences(80, 50, 0.7, 0))
    assert many == few


def test_missing_labels_are_left_out() -> None:
    truths = [np.array([[0.0], [np.nan]]), np.array([[np.nan]]), np.array([[1.0]])]
    found = [np.array([[0.9, 0.1], [0.1, 0.9]]), np.array([[0.1, 0.9]]), np.array([[0.2, 0.8]])]
    assert estimate(accuracy, truths, found).value == pytest.approx(1.0)
