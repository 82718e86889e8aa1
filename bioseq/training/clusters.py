"""Clusters of similar sequences, for splits that keep relatives together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int32, Int64

from bioseq.training.similarity import similar_pairs
from bioseq.typing import Molecule


def cluster_sequences(
    sequences: Sequence[str], molecule: Molecule = "protein"
) -> Int64[np.ndarray, " sequences"]:
    """Clusters sequences so that similar ones, directly or through others, share a cluster.

    Similar are equal sequences and pairs that `similar_pairs` confirms: a local alignment without
    gaps beyond what the whole search would meet by chance. A shared domain is enough, so large
    collections have one large cluster of multi-domain families.

    Share of 300 mutated copies that were found among 20,000 unrelated sequences, by identity:

    | copies | 90 % | 70 % | 50 % | 40 % | 30 % |
    | --- | --- | --- | --- | --- | --- |
    | protein, 300 residues | 1.00 | 1.00 | 1.00 | 0.95 | 0.41 |
    | protein, 300 residues, 2 % inserted or deleted | 1.00 | 1.00 | 1.00 | 0.80 | 0.16 |
    | protein, 100 residues | 1.00 | 1.00 | 0.94 | 0.50 | 0.07 |

    and for DNA of 300 bases 1.00 at 90, 80 and 70 %, 0.78 at 60 %. Below some 25 residues only
    equal sequences are found. No unrelated pair was joined.

    Time and memory grow with the number of residues: 100,000 proteins of 300 residues take 40
    seconds of one core and 1.5 GiB, 196,000 proteins with 66 million residues less than 2 GiB. The
    same sequences in the same order give the same clusters.

    Args:
        sequences: Symbols of the alphabet; case does not matter.
        molecule: Their kind; DNA is compared on both strands.

    Returns:
        Each sequence's cluster, numbered from 0 by first appearance.
    """
    texts = np.array([sequence.upper() for sequence in sequences], dtype=object)
    distinct, copy_of = np.unique(texts, return_inverse=True)
    label = np.arange(len(distinct), dtype=np.int64)
    for left, right in similar_pairs(
        distinct.tolist(), molecule, lambda left, right: label[left] != label[right]
    ):
        _join(label, left, right)
    _, first, cluster = np.unique(label[copy_of], return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[cluster]


def _join(
    label: Int64[np.ndarray, " sequences"],
    left: Int32[np.ndarray, " pairs"],
    right: Int32[np.ndarray, " pairs"],
) -> None:
    """Gives joined sequences the smallest label among them, in place."""
    while len(left):
        a, b = label[left], label[right]
        apart = a != b
        left, right, a, b = left[apart], right[apart], a[apart], b[apart]
        np.minimum.at(label, np.maximum(a, b), np.minimum(a, b))
        while not np.array_equal(label, label[label]):
            label[:] = label[label]
