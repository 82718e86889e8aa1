"""What a column holds: states, sequence weights, frequencies."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32, Float64, UInt8

from bioseq.alphabet import PROTEIN
from bioseq.msa.alignment import Msa

STATES = PROTEIN.canonical + "-"
"""The states of a cell: the twenty amino acids, and the gap, which also stands for the rest."""

NUM_STATES = len(STATES)
_GAP_STATE = NUM_STATES - 1
_STATE_OF = np.full(256, _GAP_STATE, np.uint8)
_STATE_OF[np.frombuffer(STATES.encode(), np.uint8)] = np.arange(NUM_STATES)
_ROWS_AT_ONCE = 1024


def states_of(msa: Msa) -> UInt8[np.ndarray, "depth length"]:
    """Returns the state of each cell as its place in `STATES`."""
    return _STATE_OF[msa.symbols]


def one_hot(states: UInt8[np.ndarray, "*cells"]) -> Float32[np.ndarray, "*cells 21"]:
    """Returns 1 for the state of each cell, 0 for the others."""
    return np.eye(NUM_STATES, dtype=np.float32)[states]


def sequence_weights(
    states: UInt8[np.ndarray, "depth length"], *, identity: float = 0.8
) -> Float64[np.ndarray, " depth"]:
    """Returns each row's weight: 1 over the number of rows like it, itself included.

    Args:
        states: States of the cells.
        identity: Part of the columns from which rows count as alike; gaps count as a state.

    Source: Morcos et al. 2011, equation 2.
    """
    depth, length = states.shape
    flat = one_hot(states).reshape(depth, -1)
    neighbours = [
        (flat[start : start + _ROWS_AT_ONCE] @ flat.T >= identity * length).sum(axis=1)
        for start in range(0, depth, _ROWS_AT_ONCE)
    ]
    return 1.0 / np.concatenate(neighbours)


def frequencies(
    states: UInt8[np.ndarray, "depth length"], weights: Float64[np.ndarray, " depth"]
) -> Float64[np.ndarray, "length 21"]:
    """Returns the weighted share of each state in each column."""
    shares = weights / weights.sum()
    return np.stack([shares @ (states == state) for state in range(NUM_STATES)], axis=1)
