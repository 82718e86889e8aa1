"""Room for the values of a block's sequences, filled in any order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from bioseq.embed.outputs import Output
from bioseq.models import Encoder
from bioseq.store import Ragged, Values


class ValueTable:
    """One array for each output, in the order of the sequences.

    Args:
        outputs: What is kept.
        sequences: The block's sequences.
        encoder: Tells the width of each layer.
        dtype: Number format of the arrays.
    """

    def __init__(
        self,
        outputs: tuple[Output, ...],
        sequences: Sequence[str],
        encoder: Encoder,
        dtype: np.dtype,
    ) -> None:
        lengths = np.fromiter(map(len, sequences), np.int64, len(sequences))
        self._offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
        self._outputs = outputs
        self._dtype = dtype
        self._finite = np.ones(len(sequences), dtype=bool)
        self._arrays: dict[str, np.ndarray] = {}
        for output in outputs:
            rows = int(self._offsets[-1]) if output.per_residue else len(sequences)
            self._arrays[output.name] = np.empty((rows, encoder.layer_dim(output.layer)), dtype)

    def put_vectors(
        self,
        output: Output,
        members: Int64[np.ndarray, " batch"],
        vectors: Float[Tensor, "batch dim"],
    ) -> None:
        """Keeps one vector for each of some sequences."""
        rows = self._cast(vectors)
        self._finite[members] &= np.isfinite(rows).all(axis=1)
        self._arrays[output.name][members] = rows

    def put_residues(
        self, output: Output, index: int, states: Float[Tensor, "residues dim"], *, start: int = 0
    ) -> None:
        """Keeps the vectors of one sequence's residues from `start` on."""
        rows = self._cast(states)
        self._finite[index] &= bool(np.isfinite(rows).all())
        first = self._offsets[index] + start
        self._arrays[output.name][first : first + len(rows)] = rows

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
            o.name: Ragged(self._arrays[o.name], self._offsets)
            if o.per_residue
            else self._arrays[o.name]
            for o in self._outputs
        }
