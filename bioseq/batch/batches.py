"""The planner: which sequences share a batch."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from jaxtyping import Int64

from bioseq.errors import OptionError


def plan_batches(
    lengths: Int64[np.ndarray, " sequences"], tokens_per_batch: int
) -> Iterator[Int64[np.ndarray, " batch"]]:
    """Groups sequences of similar length so that no batch exceeds the token budget.

    Sequences are sorted by length (ties in input order), so equal lengths are neighbours. A
    sequence above the budget gets a batch of its own.

    Args:
        lengths: Tokens of each sequence.
        tokens_per_batch: The budget.

    Yields:
        Indices of the sequences of one batch; every index exactly once over all batches.

    Raises:
        OptionError: the budget is below 1.
    """
    if tokens_per_batch < 1:
        raise OptionError("tokens_per_batch", tokens_per_batch, allowed="1 or more")
    order = np.argsort(lengths, kind="stable")
    ends = np.cumsum(lengths[order])
    start = 0
    while start < len(order):
        done = int(ends[start - 1]) if start else 0
        stop = int(np.searchsorted(ends, done + tokens_per_batch, side="right"))
        stop = max(stop, start + 1)
        yield order[start:stop]
        start = stop
