"""How many of the pairs ranked highest are contacts."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float

LONG_RANGE = 24
"""Residues between the members of a long-range pair, at least."""


def precision_at(
    scores: Float[np.ndarray, "length length"],
    contacts: Bool[np.ndarray, "length length"],
    known: Bool[np.ndarray, "length length"],
    *,
    count: int,
    separation: int = LONG_RANGE,
) -> float:
    """Returns the share of contacts among the highest scores; NaN where no pair is known.

    Args:
        scores: Higher means more likely; the upper triangle counts.
        contacts: Whether a pair touches.
        known: Whether that is known; other pairs are not ranked.
        count: Pairs taken from the top, such as the length or a fifth of it.
        separation: Least distance in the sequence.
    """
    rows, columns = np.triu_indices(len(scores), separation)
    usable = known[rows, columns]
    rows, columns = rows[usable], columns[usable]
    best = np.argsort(-scores[rows, columns], kind="stable")[: max(1, count)]
    return float(contacts[rows, columns][best].mean()) if len(best) else float("nan")
