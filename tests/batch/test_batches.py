"""Laws of the planner."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioseq.batch import plan_batches
from bioseq.errors import OptionError


@given(lengths=st.lists(st.integers(1, 50), max_size=60), budget=st.integers(1, 200))
def test_batches_hold_every_sequence_once_within_the_budget(
    lengths: list[int], budget: int
) -> None:
    sizes = np.array(lengths, dtype=np.int64)
    batches = list(plan_batches(sizes, budget))
    together = np.concatenate([np.zeros(0, dtype=np.int64), *batches])
    assert sorted(together.tolist()) == list(range(len(lengths)))
    assert together.tolist() == sorted(range(len(lengths)), key=lambda i: lengths[i])
    for batch in batches:
        assert len(batch) == 1 or sizes[batch].sum() <= budget
    for batch, following in itertools.pairwise(batches):
        assert sizes[batch].sum() + sizes[following[0]] > budget, "room for one more"


def test_a_budget_of_nothing_is_refused() -> None:
    with pytest.raises(OptionError, match="tokens_per_batch is 0"):
        list(plan_batches(np.array([1]), 0))
