"""Choosing rows keeps the query and the order, and says what it did."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioseq.errors import OptionError
from bioseq.msa import Alignment, Msa, Subsampling, choose_rows
from bioseq.msa.tokens import encode_msa
from bioseq.tokenizer import build_residue_tokenizer


def msa_of(*rows: str) -> Msa:
    ids = tuple(str(number) for number in range(len(rows)))
    return Msa.from_alignment(Alignment(ids=ids, descriptions=ids, rows=rows))


def random_msa(depth: int) -> Msa:
    rng = np.random.default_rng(depth)
    rows = rng.choice(list("ACDEFG"), (depth, 12))
    return msa_of(*("".join(row) for row in rows))


@given(
    depth=st.integers(1, 30),
    wanted=st.integers(1, 40),
    method=st.sampled_from(["first", "random", "diverse"]),
    seed=st.integers(0, 3),
)
def test_the_query_stays_and_the_order_too(
    depth: int, wanted: int, method: Subsampling, seed: int
) -> None:
    rows = choose_rows(random_msa(depth), wanted, method=method, seed=seed)
    assert rows[0] == 0
    assert len(rows) == min(depth, wanted)
    assert (np.diff(rows) > 0).all()


def test_first_keeps_the_first_rows() -> None:
    assert choose_rows(random_msa(9), 4).tolist() == [0, 1, 2, 3]


def test_random_depends_on_the_seed_alone() -> None:
    msa = random_msa(30)
    draws = [tuple(choose_rows(msa, 5, method="random", seed=seed).tolist()) for seed in (1, 1, 2)]
    assert draws[0] == draws[1] != draws[2]
    assert draws[0] == (0, 17, 19, 23, 29)


def test_every_row_can_be_drawn() -> None:
    drawn = {
        row
        for seed in range(60)
        for row in choose_rows(random_msa(6), 2, method="random", seed=seed)
    }
    assert drawn == set(range(6))


def test_diverse_adds_the_row_that_differs_most() -> None:
    msa = msa_of("AAAA", "AAAC", "CCCC", "AACC", "CCCA")
    assert choose_rows(msa, 2, method="diverse").tolist() == [0, 2]
    assert choose_rows(msa, 3, method="diverse").tolist() == [0, 1, 2]


def test_diverse_rows_differ_more_than_the_first_ones() -> None:
    msa = random_msa(30)
    spread = {
        method: np.mean(
            [
                (msa.symbols[i] != msa.symbols[j]).mean()
                for i, j in combinations(choose_rows(msa, 6, method=method), 2)
            ]
        )
        for method in ("first", "diverse")
    }
    assert spread["diverse"] > spread["first"]


def test_a_depth_of_nothing_is_refused() -> None:
    with pytest.raises(OptionError, match="1 or more"):
        choose_rows(random_msa(3), 0)


def test_tokens_are_those_of_each_row_with_its_start() -> None:
    msa = msa_of("ACDE", "A--E")
    tokenizer = build_residue_tokenizer("protein")
    tokens = encode_msa(msa, tokenizer)
    assert tokens.shape == (2, 6)
    np.testing.assert_array_equal(tokens[0], tokenizer.encode(["ACDE"]).ids)
    np.testing.assert_array_equal(tokens[1], tokenizer.encode(["A--E"]).ids)
