"""The reference: embedded records with known labels, read from their store in stretches."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float64, Int64

from bioseq.errors import OptionError, StoreError
from bioseq.prediction.nearest.labels import KnownLabels, read_known_labels
from bioseq.prediction.nearest.options import NearestOptions
from bioseq.store import Embedding, Store

_ROWS_AT_A_TIME = 8_192


@dataclass(frozen=True, kw_only=True)
class Reference:
    """Labelled records of a store.

    Attributes:
        store: Open for as long as the reference is used.
        view: Their vectors.
        known: Their labels.
        records: For each entry, its record in the store.
        labels: For each entry, the number of its class, or its value.
    """

    store: Store
    view: Embedding
    known: KnownLabels
    records: Int64[np.ndarray, " entries"]
    labels: Float64[np.ndarray, " entries"]

    def __len__(self) -> int:
        return len(self.records)

    @property
    def digest(self) -> str:
        """sha256 of what decides a prediction: sequences and labels, in order."""
        found = hashlib.sha256("\n".join(self.known.classes).encode())
        digests = self.store.tables.digests
        for row, label in zip(self.view.rows[self.records], self.labels, strict=True):
            found.update(f"\n{digests[row]} {label!r}".encode())
        return found.hexdigest()

    @property
    def ids(self) -> list[str]:
        """The id of each entry."""
        ids = self.store.ids
        return [ids[record] for record in self.records.tolist()]

    @cached_property
    def rows(self) -> Int64[np.ndarray, " rows"]:
        """The store's rows that have entries: equal sequences share one."""
        return np.unique(self.view.rows[self.records])

    def entries_of(self, place: int) -> Int64[np.ndarray, " entries"]:
        """Returns the entries of the row at a place in `rows`, in the store's order."""
        order, bounds = self._by_row
        return order[bounds[place] : bounds[place + 1]]

    @cached_property
    def _by_row(self) -> tuple[Int64[np.ndarray, " entries"], Int64[np.ndarray, " bounds"]]:
        rows = self.view.rows[self.records]
        order = np.argsort(rows, kind="stable")
        return order, np.append(np.searchsorted(rows[order], self.rows), len(rows))

    def read(self, entries: Int64[np.ndarray, " some"]) -> Float64[np.ndarray, "some dim"]:
        """Returns the vectors of some entries."""
        return self.read_rows(self.view.rows[self.records[entries]])

    def read_rows(self, rows: Int64[np.ndarray, " some"]) -> Float64[np.ndarray, "some dim"]:
        """Returns the vectors of some of the store's rows."""
        return np.asarray(self.view.of_rows(rows)).astype(np.float64)

    def stretches(self) -> Iterator[tuple[int, Float64[np.ndarray, "stretch dim"]]]:
        """Yields the vectors of `rows` in stretches, each with the place of its first."""
        for start in range(0, len(self.rows), _ROWS_AT_A_TIME):
            yield start, self.read_rows(self.rows[start : start + _ROWS_AT_A_TIME])


def open_reference(store: Store, options: NearestOptions) -> Reference:
    """Finds the records of a store that have a label.

    Raises:
        FormatError: the table of labels is not as described.
        InputError: it can't be read.
        OptionError: more neighbours are asked for than there are.
        StoreError: there is no embedding that fits, or a label for hardly any record.
    """
    view = _choose_embedding(store, options.embedding)
    known = read_known_labels(options)
    labels = np.array([known.of_ids.get(id, np.nan) for id in store.ids], np.float64)
    records = view.records[~np.isnan(labels[view.records])]
    if len(records) < 2:
        problem = (
            f"{len(records)} of its {len(store):,} records have a label in {options.labels}; the "
            f"column {options.id!r} there has to name them as the store does"
        )
        raise StoreError(store.path, problem)
    if options.neighbours > len(records):
        allowed = f"up to {len(records)}, the labelled records of {store.path}"
        raise OptionError("neighbours", options.neighbours, allowed=allowed)
    return Reference(store=store, view=view, known=known, records=records, labels=labels[records])


def _choose_embedding(store: Store, name: str | None) -> Embedding:
    found = {n: store[n] for n in store.names}
    fitting = [n for n, v in found.items() if not (v.is_per_residue or v.is_per_pair)]
    if name in fitting:
        return found[name]
    if name is None and len(fitting) == 1:
        return found[fitting[0]]
    listed = ", ".join(fitting) or "none"
    problem = f"embeddings with a vector per sequence: {listed}; name one of them"
    raise StoreError(store.path, problem)
