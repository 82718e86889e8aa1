"""Which columns vary together: mutual information, and mean-field direct couplings.

The mean-field couplings are minus the inverse of a covariance matrix of 20 states times the
columns. With the usual pseudocount this matrix is a constant block-diagonal matrix plus one of
low rank (the rows of the alignment and one more vector), so the inverse needs a system of the size
of the depth only, and never the matrix itself.

Source: Morcos et al. 2011 (mean field); Ekeberg et al. 2013 (Frobenius norm in the zero-sum
gauge); Dunn et al. 2008 (APC); the low-rank form follows from the Woodbury identity.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32, Float64, UInt8

from bioseq.msa.profile import NUM_STATES, frequencies, one_hot

_FREE = NUM_STATES - 1  # the shares of the states add up to 1
_COLUMNS_AT_ONCE = 64


def correct_background(
    scores: Float64[np.ndarray, "length length"],
) -> Float64[np.ndarray, "length length"]:
    """Takes from each score the product of its columns' means over the mean (APC).

    The diagonal, which is no score, counts nowhere and is 0 afterwards.
    """
    length = len(scores)
    if length < 2:
        return np.zeros_like(scores)
    off = ~np.eye(length, dtype=bool)
    means = np.where(off, scores, 0.0).sum(axis=1) / (length - 1)
    mean = means.mean()
    background = np.outer(means, means) / mean if mean else 0.0
    return np.where(off, scores - background, 0.0)


def mutual_information(
    states: UInt8[np.ndarray, "depth length"],
    weights: Float64[np.ndarray, " depth"],
    *,
    pseudocount: float = 0.02,
) -> Float64[np.ndarray, "length length"]:
    """Returns the mutual information of each pair of columns, in nats.

    Args:
        states: States of the cells.
        weights: Of the rows.
        pseudocount: Share of the uniform distribution that is mixed into the frequencies.
    """
    length = states.shape[1]
    single = _entropy(_mix(frequencies(states, weights), pseudocount), axis=1)
    shares = (weights / weights.sum()).astype(np.float32)
    cells = one_hot(states).reshape(len(states), -1)
    scores = np.empty((length, length))
    for start in range(0, length, _COLUMNS_AT_ONCE):
        stop = min(start + _COLUMNS_AT_ONCE, length)
        some = cells[:, start * NUM_STATES : stop * NUM_STATES] * shares[:, None]
        joint = _mix((some.T @ cells).reshape(-1, NUM_STATES, length, NUM_STATES), pseudocount)
        scores[start:stop] = single[start:stop, None] + single - _entropy(joint, axis=(1, 3))
    return scores


def _entropy(shares: np.ndarray, axis: int | tuple[int, int]) -> np.ndarray:
    return -(shares * np.log(shares)).sum(axis=axis)


def _mix(shares: np.ndarray, pseudocount: float) -> np.ndarray:
    """Mixes in the uniform distribution over one state, or over pairs of states."""
    pairs = NUM_STATES if shares.ndim == 2 else NUM_STATES**2
    return (1 - pseudocount) * shares + pseudocount / pairs


def coupling_factor(
    states: UInt8[np.ndarray, "depth length"],
    weights: Float64[np.ndarray, " depth"],
    *,
    pseudocount: float = 0.8,
) -> Float32[np.ndarray, "length 21 rank"]:
    """Returns the mean-field couplings as a factor A.

    The coupling of columns i and j in the zero-sum gauge is `A[i] @ A[j].T`, 21 by 21. The rank is
    the depth and one, or 20 times the length where that is less.

    Args:
        states: States of the cells.
        weights: Of the rows.
        pseudocount: Share of the uniform distribution that is mixed into the frequencies.
    """
    deviations = _deviations(states, weights, pseudocount)
    length, _, rank = deviations.shape
    if rank > length * _FREE:
        deviations = _compress(deviations)
    # The block of the pseudocount, p/q (1 - 1 1'/q), has the inverse q/p (1 + 1 1').
    scaled = NUM_STATES / pseudocount * (deviations + deviations.sum(axis=1, keepdims=True))
    rank = deviations.shape[2]
    kernel = np.eye(rank) + np.tensordot(deviations, scaled, axes=((0, 1), (0, 1)))
    root = np.linalg.inv(np.linalg.cholesky(kernel))
    factor = np.zeros((length, NUM_STATES, rank), np.float32)
    factor[:, :_FREE] = scaled @ root.T
    return factor - factor.mean(axis=1, keepdims=True)


def _deviations(
    states: UInt8[np.ndarray, "depth length"],
    weights: Float64[np.ndarray, " depth"],
    pseudocount: float,
) -> Float64[np.ndarray, "length 20 rank"]:
    """Returns V, where the covariance is V V' plus the block of the pseudocount.

    One column for each row of the alignment, and one for the mean of all from the uniform.
    """
    single = frequencies(states, weights)[:, :_FREE]
    shares = weights / weights.sum()
    cells = one_hot(states)[:, :, :_FREE] - single
    cells *= np.sqrt((1 - pseudocount) * shares)[:, None, None]
    mean = np.sqrt(pseudocount * (1 - pseudocount)) * (single - 1 / NUM_STATES)
    return np.concatenate([np.moveaxis(cells, 0, 2), mean[:, :, None]], axis=2)


def _compress(
    deviations: Float64[np.ndarray, "length 20 rank"],
) -> Float64[np.ndarray, "length 20 small"]:
    """Returns the same V V' with as many columns as rows."""
    flat = deviations.reshape(-1, deviations.shape[2])
    values, vectors = np.linalg.eigh(flat @ flat.T)
    return (vectors * np.sqrt(np.maximum(values, 0.0))).reshape(*deviations.shape[:2], -1)


def coupling_norms(
    factor: Float32[np.ndarray, "length 21 rank"],
) -> Float64[np.ndarray, "length length"]:
    """Returns the Frobenius norm of each pair's coupling."""
    length, _, rank = factor.shape
    flat = factor.reshape(-1, rank)
    norms = np.empty((length, length))
    for start in range(0, length, _COLUMNS_AT_ONCE):
        some = factor[start : start + _COLUMNS_AT_ONCE].reshape(-1, rank)
        couplings = (some @ flat.T).reshape(-1, NUM_STATES, length, NUM_STATES)
        norms[start : start + _COLUMNS_AT_ONCE] = np.sqrt((couplings**2).sum(axis=(1, 3)))
    return norms
