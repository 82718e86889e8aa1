"""The nearest entries of a reference: exact, in one pass over it.

Squared distances by products of matrices propose a few vectors more than asked for; their distances
are then taken from the differences, so that a result depends neither on how the work was cut nor on
the rounding of the products. Entries with equal sequences share a vector, which is proposed once:
else rounding would choose among them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from bioseq.prediction.nearest.options import Metric
from bioseq.prediction.nearest.reference import Reference

_QUERIES_AT_A_TIME = 1_024
_SPARE = 8

Vectors = Float64[np.ndarray, "vectors dim"]


@dataclass(frozen=True, kw_only=True)
class Neighbours:
    """The nearest entries of some queries, nearest first; of equal ones the first in the reference.

    Attributes:
        entries: Their numbers in the reference.
        distances: Euclidean, or one minus the cosine.
    """

    entries: Int64[np.ndarray, "queries neighbours"]
    distances: Float64[np.ndarray, "queries neighbours"]


def find_nearest(
    queries: Float64[np.ndarray, "queries dim"], reference: Reference, *, count: int, metric: Metric
) -> Neighbours:
    """Finds the nearest entries of each query.

    Args:
        queries: Their vectors.
        reference: With at least as many entries as are asked for.
        count: Neighbours of each.
        metric: Distance.
    """
    queries = _prepare(queries, metric)
    kept = min(count + _SPARE, len(reference.rows))
    places = np.full((len(queries), kept), -1, np.int64)
    squares = np.full((len(queries), kept), np.inf)
    for start, vectors in reference.stretches():
        stretch = _prepare(vectors, metric)
        for first in range(0, len(queries), _QUERIES_AT_A_TIME):
            some = slice(first, first + _QUERIES_AT_A_TIME)
            found = _squares(queries[some], stretch)
            numbers = np.broadcast_to(np.arange(start, start + len(stretch)), found.shape)
            joined = np.concatenate([squares[some], found], axis=1)
            chosen = np.argpartition(joined, kept - 1, axis=1)[:, :kept]
            squares[some] = np.take_along_axis(joined, chosen, 1)
            numbers = np.concatenate([places[some], numbers], axis=1)
            places[some] = np.take_along_axis(numbers, chosen, 1)
    return _nearest_entries(
        places, _distances(queries, places, reference, metric), reference, count
    )


def _nearest_entries(
    places: Int64[np.ndarray, "queries proposed"],
    distances: Float64[np.ndarray, "queries proposed"],
    reference: Reference,
    count: int,
) -> Neighbours:
    """Returns the nearest entries among those of the proposed rows."""
    entries = np.empty((len(places), count), np.int64)
    found = np.empty(entries.shape)
    for i, (some, far) in enumerate(zip(places.tolist(), distances, strict=True)):
        members = [reference.entries_of(place)[:count] for place in some]
        numbers = np.concatenate(members)
        spread = np.repeat(far, [len(m) for m in members])
        order = np.lexsort((numbers, spread))[:count]
        entries[i], found[i] = numbers[order], spread[order]
    return Neighbours(entries=entries, distances=found)


def _prepare(vectors: Vectors, metric: Metric) -> Vectors:
    if metric == "euclidean":
        return vectors
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-300)


def _squares(
    queries: Float64[np.ndarray, "queries dim"], stretch: Float64[np.ndarray, "stretch dim"]
) -> Float64[np.ndarray, "queries stretch"]:
    ours, theirs = np.square(queries).sum(axis=1), np.square(stretch).sum(axis=1)
    return ours[:, None] + theirs - 2 * queries @ stretch.T


def _distances(
    queries: Float64[np.ndarray, "queries dim"],
    places: Int64[np.ndarray, "queries proposed"],
    reference: Reference,
    metric: Metric,
) -> Float64[np.ndarray, "queries proposed"]:
    found = np.empty(places.shape)
    for i, (query, chosen) in enumerate(zip(queries, places, strict=True)):
        vectors = reference.read_rows(reference.rows[chosen])
        squares = np.square(_prepare(vectors, metric) - query).sum(axis=1)
        # Of unit vectors, half the squared distance is one minus the cosine.
        found[i] = np.sqrt(squares) if metric == "euclidean" else squares / 2
    return found
