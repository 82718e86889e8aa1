"""A view of one set of values in an open store: nothing is read before it is asked for."""

from __future__ import annotations

from collections.abc import Iterator

import h5py
import numpy as np
from jaxtyping import Int64

from bioseq.errors import StoreError
from bioseq.store.attributes import read_attributes
from bioseq.store.block import Pairs, Ragged, as_square
from bioseq.store.columns import SLAB_BYTES, dataset_at
from bioseq.store.format import NO_ROW
from bioseq.store.tables import Tables
from bioseq.store.values import value_shape


class Embedding:
    """Embeddings, or predictions, of all records of a store, addressed by record.

    Attributes:
        name: Its name in the store.
        dim: Width D of a value.
        dtype: Type of the numbers.
        is_per_residue: Whether a value is `[L, D]`.
        is_per_pair: Whether a value is `[L, L, D]`, or `[L, L]` where D is 1. Else it is `[D]`.
        attrs: The attributes that the file has for it, `classes` as a list.
    """

    def __init__(self, tables: Tables, group: h5py.Group, name: str) -> None:
        self._tables = tables
        self._values = dataset_at(group, "values")
        self._offsets = dataset_at(group, "offsets") if "offsets" in group else None
        self.name = name
        self.dim: int = self._values.shape[1]
        self.dtype = self._values.dtype
        self.is_per_pair = value_shape(group).is_pair
        self.is_per_residue = self._offsets is not None and not self.is_per_pair
        self.attrs = read_attributes(group)

    def __len__(self) -> int:
        """Number of records, failed ones included."""
        return self._tables.num_records

    @property
    def rows(self) -> Int64[np.ndarray, " records"]:
        """For each record, the row of its sequence (int64); -1 where it failed."""
        return self._tables.rows

    @property
    def ids(self) -> list[str]:
        """Identifiers of the records that have a value, in input order."""
        return [self._tables.ids[record] for record in self.records.tolist()]

    @property
    def records(self) -> Int64[np.ndarray, " values"]:
        """Indices of the records that have a value, in input order."""
        return np.flatnonzero(self.rows != NO_ROW)

    @property
    def num_residues(self) -> Int64[np.ndarray, " sequences"]:
        """Rows of each distinct sequence's value as stored (int64); 1 each when per sequence."""
        if self._offsets is None:
            return np.ones(self._tables.num_sequences, np.int64)
        return np.diff(self._offsets[:])

    def __getitem__(self, index: int | slice) -> np.ndarray | list[np.ndarray]:
        """Returns a record's value; for a slice `[n, D]`, or a list where lengths differ.

        Raises:
            IndexError: There is no such record.
            StoreError: The record failed.
        """
        if isinstance(index, slice):
            records = range(*index.indices(len(self)))
            return self.of_rows(np.array([self._row(r) for r in records], np.int64))
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        return self._value(self._row(index % len(self)))

    def by_id(self, id: str) -> np.ndarray:
        """Returns the value of the record with this identifier.

        Raises:
            StoreError: No record has it, it failed, or several different sequences share it.
        """
        found = self._tables.find(id)
        if not found:
            raise StoreError(self._tables.path, f"no record has the id {id!r}")
        if len({self.rows[record] for record in found}) > 1:
            indices = ", ".join(str(record) for record in found)
            problem = f"the id {id!r} stands for different sequences; use the indices {indices}"
            raise StoreError(self._tables.path, problem)
        return self._value(self._row(found[0]))

    def __iter__(self) -> Iterator[tuple[str, np.ndarray]]:
        """Goes through the records that have a value: identifier and value, in little memory."""
        for start in range(0, len(self), 4096):
            stop = min(start + 4096, len(self))
            rows = self.rows[start:stop]
            values = self._values_in_order(rows[rows != NO_ROW])
            for id_, row in zip(self._tables.ids_between(start, stop), rows, strict=True):
                if row != NO_ROW:
                    yield id_, next(values)

    def to_numpy(self) -> np.ndarray | list[np.ndarray]:
        """Reads all values that exist, in input order, beside `ids`: `[n, D]`, or a list."""
        return self.of_rows(self.rows[self.records])

    def of_rows(self, rows: Int64[np.ndarray, " values"]) -> np.ndarray | list[np.ndarray]:
        """Reads the values of some rows of the distinct sequences, in the order asked for."""
        if self._offsets is not None:
            return list(self._values_in_order(rows))
        values = np.empty((len(rows), self.dim), self.dtype)
        for position, row, count in _stretches(rows):
            values[position : position + count] = self._values[row : row + count]
        return values

    def distinct(self, start: int, stop: int) -> np.ndarray | Ragged:
        """Reads the values of the distinct sequences `start` to `stop`, in row order."""
        if self._offsets is None:
            return self._values[start:stop]
        offsets = self._offsets[start : stop + 1]
        packed = Pairs if self.is_per_pair else Ragged
        return packed(self._values[offsets[0] : offsets[-1]], offsets - offsets[0])

    def slabs(self) -> Iterator[tuple[int, int]]:
        """Cuts the distinct sequences into stretches whose values take a few megabytes."""
        start, num_sequences = 0, self._tables.num_sequences
        while start < num_sequences:
            stop = self._slab_stop(start)
            yield start, stop
            start = stop

    def _slab_stop(self, start: int) -> int:
        limit = max(1, SLAB_BYTES // max(1, self.dim * self.dtype.itemsize))
        if self._offsets is None:
            return min(start + limit, self._tables.num_sequences)
        offsets = self._offsets[start : start + limit + 1]
        fitting = int(np.searchsorted(offsets, offsets[0] + limit, side="right")) - 1
        return start + max(1, fitting)

    def _values_in_order(self, rows: np.ndarray) -> Iterator[np.ndarray]:
        for _, row, count in _stretches(rows):
            end = row + count
            while row < end:
                stop = min(end, self._slab_stop(row))
                yield from self.distinct(row, stop)
                row = stop

    def _row(self, record: int) -> int:
        row = int(self.rows[record])
        if row == NO_ROW:
            reason = self._tables.reason(record)
            raise StoreError(self._tables.path, f"record {record} failed: {reason}")
        return row

    def _value(self, row: int) -> np.ndarray:
        if self._offsets is None:
            return self._values[row]
        start, stop = self._offsets[row : row + 2]
        value = self._values[start:stop]
        return as_square(value) if self.is_per_pair else value


def _stretches(rows: np.ndarray) -> Iterator[tuple[int, int, int]]:
    """Cuts rows where they do not rise by one: position, first row and count of each stretch."""
    if not len(rows):
        return
    starts = np.flatnonzero(np.diff(rows, prepend=rows[0] - 2) != 1)
    counts = np.diff(starts, append=len(rows))
    yield from zip(starts.tolist(), rows[starts].tolist(), counts.tolist(), strict=True)
