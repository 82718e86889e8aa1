"""Export to NumPy files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.lib.format import open_memmap

from bioseq.errors import OptionError
from bioseq.store.embedding import Embedding
from bioseq.store.reader import Store


def write_npy(store: Store, view: Embedding, path: Path) -> None:
    """Writes `[n, D]`, in little memory. The rows are those of `view.ids`.

    Raises:
        OptionError: The values are not per sequence, or no record has one.
    """
    require_pooled(view, "npy")
    count = len(view.records)
    if not count:
        raise OptionError(name="number of values", value=0, allowed="at least 1 for npy")
    matrix = open_memmap(path, mode="w+", dtype=view.dtype, shape=(count, view.dim))
    for position, (_, value) in enumerate(view):
        matrix[position] = value
    matrix.flush()


def write_npz(store: Store, view: Embedding, path: Path) -> None:
    """Writes `ids`, `values` and, per residue or pair, `offsets`; holds the values in memory."""
    arrays = {"ids": np.array(view.ids, dtype=np.str_), "records": view.records}
    values = view.to_numpy()
    if isinstance(values, list):
        rows = [value.reshape(-1, view.dim) for value in values]
        arrays["offsets"] = np.cumsum([0, *map(len, rows)], dtype=np.int64)
        values = np.concatenate([np.empty((0, view.dim), view.dtype), *rows])
    with path.open("wb") as file:
        np.savez(file, allow_pickle=False, values=values, **arrays)


def require_pooled(view: Embedding, layout: str) -> None:
    """Refuses values of residues or pairs.

    Raises:
        OptionError: The values are not per sequence.
    """
    if view.is_per_residue or view.is_per_pair:
        raise OptionError(
            name=f"embedding for {layout}", value=view.name, allowed="one vector per sequence"
        )
