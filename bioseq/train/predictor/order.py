"""Which training sequences share a batch, drawn anew in every epoch."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int64

_BATCHES_PER_POOL = 16

Batches = list[Int64[np.ndarray, " batch"]]


def random_order(
    members: Int64[np.ndarray, " members"],
    lengths: Int64[np.ndarray, " members"],
    residues: int,
    rng: np.random.Generator,
) -> Batches:
    """Deals sequences at random, equally many to each batch of about so many residues.

    Args:
        members: Numbers of the sequences.
        lengths: Residues of each.
        residues: In a batch.
        rng: Draws.
    """
    count = max(1, int(lengths.sum() // residues))
    return np.array_split(rng.permutation(members), min(count, len(members)))


def bucket_order(
    members: Int64[np.ndarray, " members"],
    lengths: Int64[np.ndarray, " members"],
    residues: int,
    rng: np.random.Generator,
) -> Batches:
    """Puts sequences of similar length together, about so many residues in each batch.

    Similar is what stands together when a random share of the sequences, enough for some batches,
    is sorted by length. The number of batches is the same for every draw.

    Args:
        members: Numbers of the sequences.
        lengths: Residues of each.
        residues: In a batch; as many as the longest sequence has where that is more.
        rng: Draws.
    """
    count = max(1, int(lengths.sum() // max(residues, lengths.max())))
    drawn = rng.permutation(len(members))
    pools = np.array_split(drawn, max(1, count // _BATCHES_PER_POOL))
    order = np.concatenate([pool[np.argsort(lengths[pool], kind="stable")] for pool in pools])
    ends = np.cumsum(lengths[order])
    bounds = np.searchsorted(ends * count, ends[-1] * np.arange(1, count), side="right")
    batches = np.split(members[order], bounds)
    return [batches[i] for i in rng.permutation(count)]
