"""Maps of pairs as people read them: a list of pairs with what is said of each."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

Square = Float[np.ndarray, "residues residues"]


def pair_values(square: Square) -> Float[np.ndarray, " pairs"]:
    """Returns what is said of each pair, once, in the order of the residues."""
    values = square[np.triu_indices(len(square), 1)]
    return values[~np.isnan(values)]


def list_pairs(square: Square, *, most_probable: bool) -> str:
    """Lists pairs as `3-27:0.91 5-25:0.74`, residues counted from 1, as labels are read.

    Args:
        square: Probabilities or values; NaN where nothing is said.
        most_probable: As many pairs as there are residues, the most probable ones first, which is
            what contact predictions are judged by; else all in the order of the residues.
    """
    first, second = np.triu_indices(len(square), 1)
    values = square[first, second]
    order = np.flatnonzero(~np.isnan(values))
    if most_probable:
        order = order[np.argsort(-values[order], kind="stable")][: len(square)]
    places = zip(first[order].tolist(), second[order].tolist(), strict=True)
    return " ".join(
        f"{i + 1}-{j + 1}:{value:.4g}" for (i, j), value in zip(places, values[order], strict=True)
    )
