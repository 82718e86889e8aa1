"""Reading a finished store."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from types import TracebackType

import h5py
import numpy as np
import polars as pl
from jaxtyping import Int64

from bioseq.errors import StoreError
from bioseq.store.attributes import read_attribute, read_attributes
from bioseq.store.columns import group_at, open_readable
from bioseq.store.embedding import Embedding
from bioseq.store.fingerprint import settings_of
from bioseq.store.finished import check_header
from bioseq.store.format import EMBEDDINGS, NO_ROW, PREDICTIONS
from bioseq.store.tables import Tables
from bioseq.store.values import value_paths, verify_checksums
from bioseq.typing import AnyPath


def open_store(path: AnyPath) -> Store:
    """Opens a store for reading.

    Raises:
        StoreError: The file is missing, unreadable, unfinished, or not a store.
    """
    path = Path(path)
    file = open_readable(path)
    try:
        check_header(file, path)
    except StoreError:
        file.close()
        raise
    return Store(file, path)


class Store:
    """An open store; a context manager. Tables and values are read when they are asked for.

    `store["mean"]` is an embedding, `store.predictions["ss3"]` a prediction; both are views
    addressed by record. `len(store)` is the number of records of the input, failed ones included.

    Attributes:
        path: The file.
        tables: Its records, sequences and failures, column by column.
    """

    def __init__(self, file: h5py.File, path: Path) -> None:
        self.path = path
        self.tables = Tables(file, path)
        self._file = file

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the file; views of it can't be used any more."""
        self._file.close()

    def __len__(self) -> int:
        return self.tables.num_records

    def __getitem__(self, name: str) -> Embedding:
        """Returns the embedding of that name.

        Raises:
            StoreError: There is none.
        """
        if name not in self.names:
            problem = f"has no embedding {name!r}; it has: {', '.join(self.names) or 'none'}"
            raise StoreError(self.path, problem)
        return self.values_at(f"{EMBEDDINGS}/{name}")

    def values_at(self, path: str) -> Embedding:
        """Returns the values at a path such as `embeddings/mean` or `predictions/ss3`."""
        return Embedding(self.tables, group_at(self._file, path), path.partition("/")[2])

    @property
    def value_paths(self) -> list[str]:
        """Paths of all embeddings and predictions."""
        return value_paths(self._file)

    @property
    def names(self) -> list[str]:
        """Names of the embeddings."""
        return self._names(EMBEDDINGS)

    @property
    def predictions(self) -> Mapping[str, Embedding]:
        """Predictions by task."""
        return {task: self.values_at(f"{PREDICTIONS}/{task}") for task in self._names(PREDICTIONS)}

    @property
    def num_sequences(self) -> int:
        """Number of distinct sequences."""
        return self.tables.num_sequences

    @property
    def ids(self) -> list[str]:
        """Identifier of each record, in input order."""
        return self.tables.ids

    @property
    def rows(self) -> Int64[np.ndarray, " records"]:
        """For each record, the row of its sequence (int64); -1 where it failed."""
        return self.tables.rows

    @property
    def records(self) -> pl.DataFrame:
        """The records in input order: record, id, description, row, length, digest, failure."""
        return self.tables.records

    @property
    def failures(self) -> pl.DataFrame:
        """The records without a result: record, id, reason, digest."""
        return self.tables.failures

    @cached_property
    def settings(self) -> dict[str, object]:
        """Every setting that changed a number: the fingerprint, parsed."""
        return settings_of(read_attribute(self._file, "fingerprint", str))

    @cached_property
    def attrs(self) -> dict[str, object]:
        """All attributes of the file."""
        return read_attributes(self._file)

    @property
    def provenance(self) -> dict[str, object]:
        """What made the file."""
        found = self.attrs.get("provenance")
        return found if isinstance(found, dict) else {}

    def verify(self) -> None:
        """Compares every byte with the checksums; reading a value does not.

        Raises:
            StoreError: The file is damaged.
        """
        verify_checksums(self._file)

    def info(self) -> dict[str, object]:
        """Sums the store up: counts, and for each set of values its shape and attributes."""
        return {
            "path": str(self.path),
            "bytes": self.path.stat().st_size,
            "format_version": self.attrs["format_version"],
            "bioseq_version": self.attrs["bioseq_version"],
            "created": self.attrs["created"],
            "num_records": len(self),
            "num_sequences": self.num_sequences,
            "num_failures": int((self.rows == NO_ROW).sum()),
            "values": {path: _describe(self.values_at(path)) for path in self.value_paths},
            "provenance": self.provenance,
        }

    def _names(self, kind: str) -> list[str]:
        paths = (path.partition("/") for path in self.value_paths)
        return [name for found, _, name in paths if found == kind]


def _describe(view: Embedding) -> dict[str, object]:
    attributes = {k: v for k, v in view.attrs.items() if k not in ("fingerprint", "shape")}
    owner = "pair" if view.is_per_pair else "residue" if view.is_per_residue else "sequence"
    return {
        "shape": f"per {owner}",
        "dim": view.dim,
        "dtype": str(view.dtype),
        **attributes,
    }
