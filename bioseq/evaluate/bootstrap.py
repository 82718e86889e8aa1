"""Confidence intervals: the figure on resampled sequences, since residues of one are not apart.

Source: Efron & Tibshirani 1993, chapter 13 (percentile intervals).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bioseq.evaluate.metrics import Metric

_LEVEL = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A figure with its 95 % confidence interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} ({self.low:.3f}-{self.high:.3f})"


def estimate(
    metric: Metric,
    truths: Sequence[np.ndarray],
    predictions: Sequence[np.ndarray],
    *,
    resamples: int = 200,
    seed: int = 0,
) -> Estimate:
    """Computes a figure over all rows, and its interval from resampled sequences.

    Args:
        metric: The figure.
        truths: Labels of each sequence, `[rows, columns]`; NaN rows are left out.
        predictions: Of each sequence, `[rows, classes]`.
        resamples: Times that as many sequences are drawn with replacement.
        seed: Of the draws.
    """
    kept = [~np.isnan(truth).any(axis=1) for truth in truths]
    pairs = [
        (truth[rows], found[rows])
        for truth, found, rows in zip(truths, predictions, kept, strict=True)
        if rows.any()
    ]
    value = _compute(metric, pairs)
    rng = np.random.default_rng(seed)
    draws = [
        _compute(metric, [pairs[i] for i in rng.integers(0, len(pairs), len(pairs))])
        for _ in range(resamples)
    ]
    edges = (1 - _LEVEL) / 2 * 100
    known = [draw for draw in draws if not np.isnan(draw)] or [np.nan]
    low, high = np.percentile(known, [edges, 100 - edges])
    return Estimate(value=value, low=float(low), high=float(high))


def _compute(metric: Metric, pairs: Sequence[tuple[np.ndarray, np.ndarray]]) -> float:
    truth, found = (np.concatenate(parts) for parts in zip(*pairs, strict=True))
    return metric(truth, found)
