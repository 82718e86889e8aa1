"""A predicted protein chain: what the writers of structure files write."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int64

from bioseq.chemistry import THREE_LETTERS

CHAIN = "A"


@dataclass(frozen=True, kw_only=True, eq=False)
class Coordinates:
    """A protein chain with a confidence for each atom.

    Attributes:
        name: Of the chain; any text.
        model: What predicted it.
        residue_types: Indices into `bioseq.chemistry.RESIDUES`.
        numbers: Residue numbers, from 1 as a rule.
        positions: By atom name (`bioseq.chemistry.ATOM37`), in angstrom.
        exists: Which atoms there are; an unknown residue has none.
        confidence: Predicted lDDT of each atom, 0 to 100.
    """

    name: str
    model: str
    residue_types: Int64[np.ndarray, " length"]
    numbers: Int64[np.ndarray, " length"]
    positions: Float[np.ndarray, "length 37 3"]
    exists: Bool[np.ndarray, "length 37"]
    confidence: Float[np.ndarray, "length 37"]

    @property
    def residue_names(self) -> list[str]:
        """Three-letter name of each residue."""
        return [THREE_LETTERS[index] for index in self.residue_types.tolist()]

    def atoms(self) -> Iterator[tuple[int, int, int]]:
        """Goes through the atoms: number from 1, place of the residue, place of the name."""
        residues, names = np.nonzero(self.exists)
        yield from zip(range(1, len(names) + 1), residues.tolist(), names.tolist(), strict=True)
