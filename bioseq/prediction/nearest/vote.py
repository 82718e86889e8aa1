"""From neighbours to a label: each counts by its distance, as the reference itself teaches.

Source: Dudani 1976 (votes weighted by distance); Wettschereck & Dietterich 1994 (settings by
leaving each entry out); Littmann et al. 2021 (labels of proteins by the distance of embeddings).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from bioseq.prediction.nearest.options import Metric
from bioseq.prediction.nearest.reference import Reference
from bioseq.prediction.nearest.search import Neighbours, find_nearest

_SCALES = tuple(2.0**power for power in range(-6, 7))
_LEFT_OUT = 2_000


@dataclass(frozen=True, kw_only=True)
class Vote:
    """How neighbours decide.

    A neighbour's weight falls by a factor e with each `scale` that it is farther away. For classes
    the reference's own frequencies vote too, as one neighbour more.

    Attributes:
        scale: In the unit of the distances.
        prior: Share of each class in the reference; empty for a value.
    """

    scale: float
    prior: Float64[np.ndarray, " classes"]

    def predict(
        self,
        distances: Float64[np.ndarray, "queries neighbours"],
        labels: Float64[np.ndarray, "queries neighbours"],
    ) -> Float64[np.ndarray, "queries columns"]:
        """Returns the probability of each class, or the mean value."""
        weights = np.exp(-(distances - distances[:, :1]) / self.scale)
        weights /= weights.sum(axis=1, keepdims=True)
        if not len(self.prior):
            return (weights * labels).sum(axis=1, keepdims=True)
        classes = np.arange(len(self.prior))
        votes = np.einsum("qn,qnc->qc", weights, labels[:, :, None] == classes)
        count = distances.shape[1]
        return (count * votes + self.prior) / (count + 1)


def fit_vote(reference: Reference, *, count: int, metric: Metric) -> Vote:
    """Finds the scale that predicts entries of the reference best from the other ones.

    Args:
        reference: Up to 2,000 of its entries, spread evenly, are left out in turn.
        count: Neighbours.
        metric: Distance.
    """
    prior = np.zeros(0)
    if not reference.known.is_value:
        prior = np.bincount(reference.labels.astype(np.int64)) / len(reference)
    left_out = np.unique(np.linspace(0, len(reference) - 1, _LEFT_OUT).astype(np.int64))
    others = _nearest_others(reference, left_out, count=count, metric=metric)
    labels, truth = reference.labels[others.entries], reference.labels[left_out]
    unit = float(np.median(others.distances)) or 1.0
    votes = [Vote(scale=unit * scale, prior=prior) for scale in _SCALES]
    return min(votes, key=lambda vote: _loss(vote.predict(others.distances, labels), truth))


def _nearest_others(
    reference: Reference, left_out: Int64[np.ndarray, " some"], *, count: int, metric: Metric
) -> Neighbours:
    count = min(count, len(reference) - 1)
    vectors = reference.read(left_out)
    found = find_nearest(vectors, reference, count=count + 1, metric=metric)
    # An entry is its own nearest, unless as many equal ones come before it.
    is_other = found.entries != left_out[:, None]
    is_other[is_other.all(axis=1), -1] = False
    shape = (len(left_out), count)
    return Neighbours(
        entries=found.entries[is_other].reshape(shape),
        distances=found.distances[is_other].reshape(shape),
    )


def _loss(
    found: Float64[np.ndarray, "queries columns"], truth: Float64[np.ndarray, " queries"]
) -> float:
    if found.shape[1] == 1:
        return float(np.square(found[:, 0] - truth).mean())
    return -float(np.log(found[np.arange(len(truth)), truth.astype(np.int64)]).mean())
