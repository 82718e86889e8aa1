"""Room for the values of a block's sequences, filled in any order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from bioseq.nn.scratch import scratch
from bioseq.store import Pairs, Ragged, Values

Owner = Literal["sequence", "residue", "pair"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueSpec:
    """What has a row of its own: a sequence, each of its residues, or each pair of these."""

    owner: Owner
    dim: int


class ValueBuffer:
    """One array for each set of values, in the order of the sequences.

    Args:
        shapes: Shape of each set of values, by name.
        sequences: The block's sequences.
        dtype: Number format of the arrays.
    """

    def __init__(
        self, shapes: Mapping[str, ValueSpec], sequences: Sequence[str], dtype: np.dtype
    ) -> None:
        lengths = np.fromiter(map(len, sequences), np.int64, len(sequences))
        self._offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
        self._pair_offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths**2)])
        self._shapes = dict(shapes)
        self._dtype = dtype
        self._finite = np.ones(len(sequences), dtype=bool)
        self._arrays: dict[str, np.ndarray] = {}
        for name, shape in shapes.items():
            if shape.owner == "pair":
                self._arrays[name] = _room_for_pairs(int(self._pair_offsets[-1]), shape.dim, dtype)
                continue
            rows = int(self._offsets[-1]) if shape.owner == "residue" else len(sequences)
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

    def put_pairs(
        self,
        name: str,
        index: int,
        pairs: Int64[Tensor, "2 pairs"],
        values: Float[Tensor, "pairs dim"],
    ) -> None:
        """Keeps the values of some pairs of one sequence's residues, for both orders of a pair.

        Pairs that are never kept, and those of a residue with itself, have NaN.
        """
        rows = self._cast(values)
        self._finite[index] &= bool(np.isfinite(rows).all())
        begin, length = self._pair_offsets[index], self._offsets[index + 1] - self._offsets[index]
        first, second = pairs.cpu().numpy()
        self._arrays[name][begin + first * length + second] = rows
        self._arrays[name][begin + second * length + first] = rows

    def _cast(self, values: Tensor) -> np.ndarray:
        # A number too large for the format becomes infinite here, and its record a failure.
        with np.errstate(over="ignore"):
            return values.float().cpu().numpy().astype(self._dtype, copy=False)

    def finite(self) -> Bool[np.ndarray, " sequences"]:
        """Returns which sequences have only finite numbers."""
        return self._finite

    def values(self) -> dict[str, Values]:
        """Returns the arrays by name."""
        return {
            name: self._pack(self._arrays[name], shape.owner)
            for name, shape in self._shapes.items()
        }

    def _pack(self, array: np.ndarray, owner: Owner) -> Values:
        match owner:
            case "pair":
                return Pairs(array, self._pair_offsets)
            case "residue":
                return Ragged(array, self._offsets)
            case _:
                return array


def _room_for_pairs(rows: int, dim: int, dtype: np.dtype) -> np.ndarray:
    """Returns NaN, on disk where there is much of it."""
    array = scratch(rows, dim, torch.from_numpy(np.empty(0, dtype)).dtype).numpy()
    array.fill(np.nan)
    return array
