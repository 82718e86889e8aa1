"""Confidence intervals: the figure on resampled sequences, since residues of one are not apart.

Source: Efron & Tibshirani 1993, chapter 13 (percentile intervals).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from bioseq.evaluation.metrics import Metric

_LEVEL = 0.95
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
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
) -> Interval:
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
    return _resample(pairs, lambda drawn: _compute(metric, drawn), resamples, seed)


def estimate_mean(values: Sequence[float], *, resamples: int = 200, seed: int = 0) -> Interval:
    """Computes the mean of a figure that each sequence has, and its interval from resampled ones.

    Args:
        values: Of each sequence; NaN is left out.
        resamples: Times that as many sequences are drawn with replacement.
        seed: Of the draws.
    """
    known = [value for value in values if not np.isnan(value)]
    return _resample(known, lambda drawn: float(np.mean(drawn)), resamples, seed)


def _resample(
    items: Sequence[T], compute: Callable[[Sequence[T]], float], resamples: int, seed: int
) -> Interval:
    if not items:
        return Interval(value=np.nan, low=np.nan, high=np.nan)
    rng = np.random.default_rng(seed)
    draws = [
        compute([items[i] for i in rng.integers(0, len(items), len(items))])
        for _ in range(resamples)
    ]
    edges = (1 - _LEVEL) / 2 * 100
    known = [draw for draw in draws if not np.isnan(draw)] or [np.nan]
    low, high = np.percentile(known, [edges, 100 - edges])
    return Interval(value=compute(items), low=float(low), high=float(high))


def _compute(metric: Metric, pairs: Sequence[tuple[np.ndarray, np.ndarray]]) -> float:
    truth, found = (np.concatenate(parts) for parts in zip(*pairs, strict=True))
    return metric(truth, found)
