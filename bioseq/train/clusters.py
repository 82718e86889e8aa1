"""Clusters of similar sequences, for splits that keep relatives together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int32, Int64

from bioseq.train.similarity import similar_pairs
from bioseq.typing import Molecule


def cluster_sequences(
    sequences: Sequence[str], molecule: Molecule = "protein"
) -> Int64[np.ndarray, " sequences"]:
    """Clusters sequences so that similar ones, directly or through others, share a cluster.

    Args:
        sequences: In any order; case does not matter.
        molecule: Their kind; DNA is compared on both strands.

    Returns:
        Each sequence's cluster, numbered by first appearance.
    """
    distinct, first, copy_of = np.unique(
        np.array([s.upper() for s in sequences], dtype=object), return_index=True, return_inverse=True
    )
    label = np.arange(len(distinct), dtype=np.int64)
    pairs = similar_pairs(list(distinct), molecule, lambda a, b: label[a] != label[b])
    for left, right in pairs:
        _join(label, left, right)
    del first
    _, order, numbered = np.unique(label[copy_of], return_index=True, return_inverse=True)
    return np.argsort(np.argsort(order))[numbered]


def _join(
    label: Int64[np.ndarray, " sequences"],
    left: Int32[np.ndarray, " pairs"],
    right: Int32[np.ndarray, " pairs"],
) -> None:
    """Gives joined sequences the smallest label among them, in place."""
    while len(left):
        a, b = label[left], label[right]
        open_ = a != b
        left, right, a, b = left[open_], right[open_], a[open_], b[open_]
        np.minimum.at(label, np.maximum(a, b), np.minimum(a, b))
        while not np.array_equal(label, label[label]):
            label[:] = label[label]
