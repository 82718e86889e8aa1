"""Leakage: held-out sequences that resemble a training sequence."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool

from bioseq.training.similarity import Indices, similar_pairs
from bioseq.typing import Molecule


def find_leaks(
    sequences: Sequence[str], held_out: Bool[np.ndarray, " sequences"], molecule: Molecule
) -> Bool[np.ndarray, " sequences"]:
    """Tells the held-out sequences that equal or resemble a training sequence.

    Args:
        sequences: Training and held-out sequences.
        held_out: Which of them are held out.
        molecule: Their kind.

    Returns:
        True for held-out sequences with a training sequence that `similar_pairs` confirms.
    """
    # Held-out ones go first: each place is compared with the first place of its k-mer.
    order = np.argsort(~held_out, kind="stable")
    texts = [sequences[int(i)].upper() for i in order]
    is_held_out = held_out[order]
    known = {text for text, held in zip(texts, is_held_out, strict=True) if not held}
    leaked = np.array([bool(h) and t in known for t, h in zip(texts, is_held_out, strict=True)])

    def crosses(left: Indices, right: Indices) -> Bool[np.ndarray, " pairs"]:
        across = is_held_out[left] & ~is_held_out[right]
        return across & ~leaked[left]

    for left, _ in similar_pairs(texts, molecule, crosses):
        leaked[left] = True
    unsorted = np.empty_like(leaked)
    unsorted[order] = leaked
    return unsorted
