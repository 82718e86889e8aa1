"""Laws of the batches of an epoch."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioseq.training.predictor.epochs import Batches, bucket_order, random_order

LENGTHS = st.lists(st.integers(1, 300), min_size=1, max_size=60)


@pytest.mark.parametrize("order", [bucket_order, random_order])
@given(lengths=LENGTHS, residues=st.integers(1, 400), seed=st.integers(0, 5))
def test_every_sequence_is_in_one_batch_and_all_epochs_have_equally_many(
    order: Callable[..., Batches], lengths: list[int], residues: int, seed: int
) -> None:
    sizes = np.array(lengths)
    members = np.arange(len(sizes)) * 2 + 1
    draws = [order(members, sizes, residues, np.random.default_rng([seed, k])) for k in (0, 1)]
    for batches in draws:
        assert sorted(np.concatenate(batches).tolist()) == members.tolist()
        assert all(len(batch) for batch in batches)
    assert len(draws[0]) == len(draws[1])


@given(lengths=LENGTHS, residues=st.integers(1, 400))
def test_no_bucket_holds_more_than_its_share_and_one_sequence(
    lengths: list[int], residues: int
) -> None:
    sizes = np.array(lengths)
    batches = bucket_order(np.arange(len(sizes)), sizes, residues, np.random.default_rng(0))
    share = sizes.sum() / len(batches)
    assert all(sizes[batch].sum() <= share + sizes.max() for batch in batches)


def test_a_bucket_holds_sequences_of_similar_length() -> None:
    sizes = np.random.default_rng(0).integers(30, 500, 400)
    members = np.arange(len(sizes))
    spreads = {
        order: np.mean([np.ptp(sizes[b]) for b in order(members, sizes, 4_000, rng)])
        for order, rng in ((o, np.random.default_rng(1)) for o in (bucket_order, random_order))
    }
    assert spreads[bucket_order] < 0.2 * spreads[random_order]
