"""From probabilities to what people read: one letter per residue, and segments of one class."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int64

from bioseq.labels.grammar import Grammar


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """Neighbouring residues of one class.

    Attributes:
        start: First residue, 0-based.
        stop: Behind the last residue.
        label: The class.
        score: Mean probability of the class over the segment.
    """

    start: int
    stop: int
    label: str
    score: float


def decode(
    probabilities: Float[np.ndarray, "residues classes"], grammar: Grammar | None
) -> Int64[np.ndarray, " residues"]:
    """Returns the class of every residue: the most probable ones that the grammar allows."""
    return probabilities.argmax(axis=1) if grammar is None else grammar.decode(probabilities)


def to_letters(found: Int64[np.ndarray, " residues"], classes: Sequence[str]) -> str:
    """Writes one letter per residue: the first of each class's name."""
    return "".join(classes[i][0] for i in found.tolist())


def segments(
    probabilities: Float[np.ndarray, "residues classes"],
    classes: Sequence[str],
    grammar: Grammar | None = None,
) -> Iterator[Segment]:
    """Yields the runs of residues of one class, in order; together they cover the sequence."""
    found = decode(probabilities, grammar)
    bounds = [0, *(np.flatnonzero(np.diff(found)) + 1).tolist(), len(found)]
    for start, stop in itertools.pairwise(bounds):
        label = int(found[start])
        score = float(probabilities[start:stop, label].mean())
        yield Segment(start=start, stop=stop, label=classes[label], score=score)


def feature_of(features: Mapping[str, str] | None, label: str) -> str | None:
    """Returns the Sequence Ontology term of a class; None for background.

    Args:
        features: The terms of the classes that are features; None where there is no background.
        label: The class.
    """
    return "polypeptide_region" if features is None else features.get(label)
