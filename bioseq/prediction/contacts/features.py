"""What the axial contact network reads of an alignment."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float32, Float64, UInt8

from bioseq.models.axial_contacts import ContactInputs
from bioseq.msa import Msa
from bioseq.msa.coevolution import (
    correct_background,
    coupling_factor,
    coupling_norms,
    mutual_information,
)
from bioseq.msa.profile import NUM_STATES, frequencies, one_hot, sequence_weights, states_of

COLUMN_FEATURES = 2 * NUM_STATES + 3
# The published weights were trained with these.
_COUPLING_PSEUDOCOUNT = 0.5
_INFORMATION_PSEUDOCOUNT = 0.1
_SMALLEST_SHARE = 1e-6


def contact_inputs(msa: Msa) -> ContactInputs:
    """Computes couplings, coevolution scores and profile; every row of the alignment counts."""
    states = states_of(msa)
    weights = sequence_weights(states)
    factor = coupling_factor(states, weights, pseudocount=_COUPLING_PSEUDOCOUNT)
    information = mutual_information(states, weights, pseudocount=_INFORMATION_PSEUDOCOUNT)
    scores = np.stack(
        [
            _standardize(correct_background(coupling_norms(factor))),
            _standardize(correct_background(information)),
        ],
        axis=-1,
    )
    return ContactInputs(
        factor=torch.from_numpy(factor),
        scores=torch.from_numpy(scores),
        columns=torch.from_numpy(_column_features(states, weights)),
        positions=torch.arange(msa.length, dtype=torch.float32),
    )


def _standardize(
    scores: Float64[np.ndarray, "length length"],
) -> Float32[np.ndarray, "length length"]:
    """Returns the map with mean 0 and variance 1 off the diagonal."""
    off = scores[~np.eye(len(scores), dtype=bool)]
    spread = off.std() if len(off) else 0.0
    scaled = (scores - off.mean()) / spread if spread > 0 else np.zeros_like(scores)
    np.fill_diagonal(scaled, 0.0)
    return scaled.astype(np.float32)


def _column_features(
    states: UInt8[np.ndarray, "depth length"], weights: Float64[np.ndarray, " depth"]
) -> Float32[np.ndarray, "length features"]:
    """Query, profile, its entropy, and the logarithms of the depth and of the summed weights."""
    profile = frequencies(states, weights)
    entropy = -(profile * np.log(np.maximum(profile, _SMALLEST_SHARE))).sum(axis=1, keepdims=True)
    depths = np.log([len(states), weights.sum()]) / 5
    constant = np.broadcast_to(depths, (len(profile), 2))
    query = one_hot(states[0])
    return np.concatenate([query, profile, entropy, constant], axis=1).astype(np.float32)
