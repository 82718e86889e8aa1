"""Decoding by a grammar against the enumeration of all labels."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioseq.errors import OptionError
from bioseq.labels.grammar import Grammar


def obeys(labels: tuple[int, ...], grammar: Grammar) -> bool:
    runs = [(label, len(list(run))) for label, run in itertools.groupby(labels)]
    return all(length >= grammar.shortest[label] for label, length in runs) and not any(
        (a, b) in grammar.forbidden for (a, _), (b, _) in itertools.pairwise(runs)
    )


@given(
    length=st.integers(1, 7),
    shortest=st.permutations([1, 2, 3]),
    forbidden=st.sets(
        st.tuples(st.integers(0, 2), st.integers(0, 2)).filter(lambda p: p[0] != p[1])
    ),
    seed=st.integers(0, 1000),
)
def test_the_labels_are_the_most_probable_ones_that_obey(
    length: int, shortest: list[int], forbidden: set[tuple[int, int]], seed: int
) -> None:
    grammar = Grammar(shortest=tuple(shortest), forbidden=tuple(forbidden))
    probabilities = np.random.default_rng(seed).dirichlet([0.5] * 3, length)
    scores = np.log(np.maximum(probabilities, 1e-12))
    allowed = [x for x in itertools.product(range(3), repeat=length) if obeys(x, grammar)]
    best = max(allowed, key=lambda x: scores[np.arange(length), list(x)].sum())
    found = grammar.decode(probabilities)
    assert obeys(tuple(found.tolist()), grammar)
    place = np.arange(length)
    assert scores[place, found].sum() == pytest.approx(scores[place, list(best)].sum())


def test_without_rules_every_residue_has_its_most_probable_class() -> None:
    probabilities = np.random.default_rng(0).dirichlet([1, 1, 1], 30)
    found = Grammar(shortest=(1, 1, 1)).decode(probabilities)
    np.testing.assert_array_equal(found, probabilities.argmax(axis=1))


def test_a_grammar_without_a_class_that_stands_alone_is_refused() -> None:
    with pytest.raises(OptionError, match="shortest"):
        Grammar(shortest=(2, 3))
