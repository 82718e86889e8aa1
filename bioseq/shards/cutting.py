"""Cutting the records into shards of equal cost."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64, Int64


def cut_evenly(
    costs: Float64[np.ndarray, " records"], num_shards: int
) -> Int64[np.ndarray, " bounds"]:
    """Cuts consecutive records so that all shards cost about the same.

    A shard's cost differs from the mean by at most that of one record; some shards may be empty.

    Args:
        costs: What each record costs; positive.
        num_shards: Shards.

    Returns:
        Shard k holds the records from `bounds[k]` to `bounds[k + 1]`.
    """
    ends = np.concatenate([np.zeros(1), np.cumsum(costs)])
    targets = ends[-1] * np.arange(num_shards + 1) / num_shards
    above = np.searchsorted(ends, targets).clip(max=len(costs))
    below = np.maximum(above - 1, 0)
    nearer = np.where(targets - ends[below] < ends[above] - targets, below, above)
    return np.concatenate([[0], nearer[1:-1], [len(costs)]]).astype(np.int64)
