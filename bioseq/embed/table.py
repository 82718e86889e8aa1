"""Room for the values of a block's sequences, filled in any order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from bioseq.store import Ragged, Values


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueShape:
    """Whether a sequence has one row for each residue or one row in all, and its width."""

    per_residue: bool
    dim: int


class ValueTable:
    """One array for each set of values, in the order of the sequences.

    Args:
        shapes: Shape of each set of values, by name.
        sequences: The block's sequences.
        dtype: Number format of the arrays.
    """

    def __init__(
        self, shapes: Mapping[str, ValueShape], sequences: Sequence[str], dtype: np.dtype
    ) -> None:
        lengths = np.fromiter(map(len, sequences), np.int64, len(sequences))
        self._offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
        self._shapes = dict(shapes)
        self._dtype = dtype
        self._finite = np.ones(len(sequences), dtype=bool)
        self._arrays: dict[str, np.ndarray] = {}
        for name, shape in shapes.items():
            rows = int(self._offsets[-1]) if shape.per_residue else len(sequences)
            self._arrays[name] = np.empty((rows, shape.dim), dtype)

    def put_vectors(
        self,
        name: str,
        members: Int64[np.ndarray, " batch"],
        vectors: Float[Tensor, "batch dim"],
    ) -> None:
        """Keeps one vector for each of some sequences."""
        rows = self._cast(vectors)
        self._finite[members] &= np.isfinite(rows).all(axis=1)
        self._arrays[name][members] = rows

    def put_residues(
        self, name: str, index: int, states: Float[Tensor, "residues dim"], *, start: int = 0
    ) -> None:
        """Keeps the vectors of one sequence's residues from `start` on."""
        rows = self._cast(states)
        self._finite[index] &= bool(np.isfinite(rows).all())
        first = self._offsets[index] + start
        self._arrays[name][first : first + len(rows)] = rows

    def _cast(self, values: Tensor) -> np.ndarray:
        # A number too large for the format becomes infinite here, and its record a failure.
        with np.errstate(over="ignore"):
            return values.float().cpu().numpy().astype(self._dtype, copy=False)

    def finite(self) -> Bool[np.ndarray, " sequences"]:
        """Tells which sequences have only finite numbers."""
        return self._finite

    def values(self) -> dict[str, Values]:
        """Gives the arrays by name."""
        return {
            name: Ragged(self._arrays[name], self._offsets)
            if shape.per_residue
            else self._arrays[name]
            for name, shape in self._shapes.items()
        }
