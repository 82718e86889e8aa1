"""Targets whose features and grammar fit their classes, and others."""

from __future__ import annotations

from typing import Any

import pytest

from bioseq.errors import OptionError
from bioseq.labels import Grammar, Target


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"grammar": Grammar(shortest=(1, 12, 5))}, "shortest of mine"),
        ({"grammar": Grammar(shortest=(1,))}, "shortest of mine"),
        ({"grammar": Grammar(shortest=(1, 2), forbidden=((0, 2),))}, "forbidden of mine"),
        ({"grammar": Grammar(shortest=(1, 2), forbidden=((-1, 0),))}, "forbidden of mine"),
        ({"features": {"X": "alpha_helix"}}, "features of mine"),
        ({"features": {"A": "alpha_helix"}, "level": "sequence"}, "classes per residue"),
        ({"grammar": Grammar(shortest=(1, 1)), "kind": "labels"}, "classes per residue"),
    ],
)
def test_what_does_not_fit_the_classes_is_refused(fields: dict[str, Any], problem: str) -> None:
    plain: dict[str, Any] = {"level": "residue", "kind": "classes", "classes": ("A", "B")}
    with pytest.raises(OptionError, match=problem):
        Target(name="mine", **{**plain, **fields})


def test_features_and_a_grammar_that_fit_are_kept() -> None:
    grammar = Grammar(shortest=(1, 3), forbidden=((0, 1),))
    target = Target(
        name="mine",
        level="residue",
        kind="classes",
        classes=("A", "B"),
        features={"A": "alpha_helix"},
        grammar=grammar,
    )
    assert target.features == {"A": "alpha_helix"}
    assert target.grammar == grammar
    assert isinstance(hash(target), int)
