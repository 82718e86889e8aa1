"""Labels of pairs of residues: listed in a table's cell, laid out only when they are needed."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Int64

NO_PAIRS = "-"
_ENTRY = re.compile(r"(\d+)-(\d+)(?::(.+))?")


@dataclass(frozen=True, kw_only=True, eq=False)
class PairLabels:
    """What is known of the pairs of one sequence's residues.

    Attributes:
        pairs: Places of the residues of each pair that is listed, from 0, the smaller one first.
        values: Label of each of these.
        rest: Label of the pairs that are not listed; NaN: none.
        known: Residues whose pairs count.
        separation: How far apart the residues of the pairs that count are at least.
    """

    pairs: Int64[np.ndarray, "pairs 2"]
    values: Float32[np.ndarray, " pairs"]
    rest: float
    known: Bool[np.ndarray, " residues"]
    separation: int

    def square(self) -> Float32[np.ndarray, "residues residues"]:
        """Returns the labels as a symmetric map, NaN where there is none."""
        found = np.full((len(self.known), len(self.known)), self.rest, np.float32)
        first, second = self.pairs.T
        found[first, second] = found[second, first] = self.values
        found[~self.known] = found[:, ~self.known] = np.nan
        place = np.arange(len(found))
        found[np.abs(place[:, None] - place) < self.separation] = np.nan
        return found

    def rows(self) -> Float32[np.ndarray, "rows 1"]:
        """Returns a row for every pair of different residues, in the order of `np.triu_indices`."""
        return self.square()[np.triu_indices(len(self.known), 1)][:, None]


def parse_pairs(
    cell: str, *, with_values: bool, length: int
) -> tuple[Int64[np.ndarray, "pairs 2"], Float32[np.ndarray, " pairs"]]:
    """Reads the pairs that a cell lists, and their labels: 1 where they have no values.

    Args:
        cell: `3-27 5-25`, or with values `3-27:8.4 5-25:6.1`; `-` for no pair.
        with_values: Which of these.
        length: Residues of the sequence.

    Raises:
        ValueError: an entry is malformed, outside the sequence, or there twice.
    """
    found: dict[tuple[int, int], float] = {}
    for entry in cell.split() if cell.strip() != NO_PAIRS else []:
        match = _ENTRY.fullmatch(entry)
        if match is None or (match[3] is not None) != with_values:
            form = "3-27:8.4" if with_values else "3-27"
            problem = f"{entry!r}; expected two residues counted from 1, as in {form}"
            raise ValueError(problem)
        first, second = sorted((int(match[1]), int(match[2])))
        if not 1 <= first < second <= length:
            problem = f"{entry!r}; expected two different residues of 1 to {length}"
            raise ValueError(problem)
        if (first, second) in found:
            problem = f"the pair {first}-{second} twice"
            raise ValueError(problem)
        found[first, second] = float(match[3]) if with_values else 1.0
    pairs = np.array(list(found), np.int64).reshape(-1, 2) - 1
    return pairs, np.array(list(found.values()), np.float32)
