"""From probabilities to what people read: one letter per residue, and segments of one class."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int64

from bioseq.labels.grammar import Grammar

# Sequence Ontology terms of the classes that are features; the other classes are background.
FEATURES: Mapping[str, Mapping[str, str]] = {
    "secondary-structure": {"H": "alpha_helix", "E": "beta_strand"},
    "secondary-structure-8": {
        "G": "right_handed_peptide_helix",
        "H": "alpha_helix",
        "I": "pi_helix",
        "E": "beta_strand",
        "T": "polypeptide_turn_motif",
    },
    "disorder": {"D": "intrinsically_unstructured_polypeptide_region"},
    "topology": {"H": "transmembrane_helix", "B": "transmembrane_beta_strand"},
}

# A helix that crosses a membrane has at least some 12 residues, a strand 5.
GRAMMARS: Mapping[str, Grammar] = {
    "topology": Grammar(shortest=(1, 12, 5), forbidden=((1, 2), (2, 1)))
}


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
    probabilities: Float[np.ndarray, "residues classes"], target: str
) -> Int64[np.ndarray, " residues"]:
    """Gives the most probable class of every residue, by the target's grammar if it has one."""
    if target in GRAMMARS:
        return GRAMMARS[target].decode(probabilities)
    return probabilities.argmax(axis=1)


def to_letters(found: Int64[np.ndarray, " residues"], classes: Sequence[str]) -> str:
    """Writes one letter per residue: the first of each class's name."""
    return "".join(classes[i][0] for i in found.tolist())


def segments(
    probabilities: Float[np.ndarray, "residues classes"], classes: Sequence[str], target: str
) -> Iterator[Segment]:
    """Gives the runs of residues of one class, in order; together they cover the sequence."""
    found = decode(probabilities, target)
    bounds = [0, *(np.flatnonzero(np.diff(found)) + 1).tolist(), len(found)]
    for start, stop in itertools.pairwise(bounds):
        label = int(found[start])
        score = float(probabilities[start:stop, label].mean())
        yield Segment(start=start, stop=stop, label=classes[label], score=score)


def feature_of(target: str, label: str) -> str | None:
    """Gives the Sequence Ontology term of a class; None for background.

    Targets that are not listed, of one's own predictors, have no background: all their classes are
    plain features.
    """
    if target not in FEATURES:
        return "polypeptide_region"
    return FEATURES[target].get(label)
