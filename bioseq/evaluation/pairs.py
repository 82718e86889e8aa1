"""Figures of predictions for pairs of residues, one for each sequence, and a baseline."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from jaxtyping import Float

from bioseq.evaluation.metrics import auc, r_squared, spearman
from bioseq.labels.pairs import PairLabels
from bioseq.prediction.contacts.precision import precision_at

Square = Float[np.ndarray, "residues residues"]
PairMetric = Callable[[Square, Square], float]
"""From labels and predictions, NaN where there is none, to a figure, NaN where it has none."""

_LONGEST = 100_000
# Separations that differ by less than a tenth share a mean.
_BOUNDS = np.unique(np.geomspace(1, _LONGEST, 121).round())


def pair_metrics(kind: str) -> Mapping[str, PairMetric]:
    """Returns the figures that are usual for a kind of target of pairs, by name; the first leads.

    Of contacts: the precision of the L or L / 5 most probable pairs at least 24 residues apart, L
    being the length, and the area under the ROC curve over all pairs that count.
    """
    if kind == "value":
        return {"Spearman": _spearman, "R2": _r_squared}
    return {"P@L": _precision_at_length, "P@L/5": _precision_at_fifth, "AUC": _auc}


def fit_separation(labels: Sequence[PairLabels]) -> Callable[[Sequence[str]], list[np.ndarray]]:
    """Fits the mean label of pairs by nothing but their separation in the sequence.

    Args:
        labels: Of the training sequences.

    Returns:
        What gives the map of each of some sequences.
    """
    sums, counts = np.zeros((2, len(_BOUNDS) + 1))
    for label in labels:
        place, truth = _bins(len(label.known)), label.square()
        known = ~np.isnan(truth)
        sums += np.bincount(place[known], truth[known], len(sums))
        counts += np.bincount(place[known], minlength=len(counts))
    seen = np.flatnonzero(counts)
    nearest = seen[np.abs(np.arange(len(counts))[:, None] - seen).argmin(axis=1)]
    means = sums[nearest] / counts[nearest]
    return lambda sequences: [means[_bins(len(sequence))] for sequence in sequences]


def _bins(length: int) -> np.ndarray:
    place = np.arange(length)
    return np.digitize(np.abs(place[:, None] - place), _BOUNDS)


def _precision_at_length(truth: Square, found: Square) -> float:
    return _precision(truth, found, count=len(truth))


def _precision_at_fifth(truth: Square, found: Square) -> float:
    return _precision(truth, found, count=len(truth) // 5)


def _precision(truth: Square, found: Square, *, count: int) -> float:
    known = ~np.isnan(truth) & ~np.isnan(found)
    return precision_at(found, truth == 1, known, count=count)


def _auc(truth: Square, found: Square) -> float:
    labels, predicted = _rows(truth, found)
    return auc(labels, np.concatenate([1 - predicted, predicted], axis=1))


def _spearman(truth: Square, found: Square) -> float:
    return spearman(*_rows(truth, found))


def _r_squared(truth: Square, found: Square) -> float:
    return r_squared(*_rows(truth, found))


def _rows(truth: Square, found: Square) -> tuple[np.ndarray, np.ndarray]:
    """Returns labels and predictions of the pairs that have both."""
    upper = np.triu(~np.isnan(truth) & ~np.isnan(found), 1)
    return truth[upper][:, None], found[upper][:, None]
