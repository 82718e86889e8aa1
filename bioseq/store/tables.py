"""The tables of an open store, column by column, each read when it is first asked for."""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property
from pathlib import Path

import h5py
import numpy as np
import polars as pl
from jaxtyping import Int64, UInt32

from bioseq.store.columns import dataset_at, read_numbers, read_slab, read_text


class Tables:
    """Records, sequences and failures of a store.

    Attributes:
        file: The open file.
        path: Its path.
    """

    def __init__(self, file: h5py.File, path: Path) -> None:
        self.file = file
        self.path = path

    @property
    def num_records(self) -> int:
        """Number of records, failed ones included."""
        return len(dataset_at(self.file, "records/id"))

    @property
    def num_sequences(self) -> int:
        """Number of distinct sequences."""
        return len(dataset_at(self.file, "sequences/digest"))

    @cached_property
    def ids(self) -> list[str]:
        """Identifier of each record."""
        return read_text(self.file, "records/id")

    @cached_property
    def descriptions(self) -> list[str]:
        """Description of each record."""
        return read_text(self.file, "records/description")

    @cached_property
    def rows(self) -> Int64[np.ndarray, " records"]:
        """For each record, the row of its sequence (int64); -1 where it failed."""
        return read_numbers(self.file, "records/row")

    @cached_property
    def digests(self) -> list[str]:
        """Refget digest of each distinct sequence; empty where it is unknown."""
        return _decode(read_numbers(self.file, "sequences/digest"))

    @cached_property
    def lengths(self) -> UInt32[np.ndarray, " sequences"]:
        """Residues of each distinct sequence (uint32); 0 where it is unknown."""
        return read_numbers(self.file, "sequences/length")

    @cached_property
    def failures(self) -> pl.DataFrame:
        """The records without a result: record, id, reason, digest."""
        return pl.DataFrame(
            {
                "record": read_numbers(self.file, "failures/record"),
                "id": read_text(self.file, "failures/id"),
                "reason": read_text(self.file, "failures/reason"),
                "digest": _decode(read_numbers(self.file, "failures/digest")),
            },
            schema={"record": pl.Int64, "id": pl.String, "reason": pl.String, "digest": pl.String},
        )

    @cached_property
    def records(self) -> pl.DataFrame:
        """The records in input order: record, id, description, row, length, digest, failure."""
        records = pl.DataFrame(
            {
                "record": np.arange(self.num_records, dtype=np.int64),
                "id": self.ids,
                "description": self.descriptions,
                "row": self.rows,
            },
            schema_overrides={"id": pl.String, "description": pl.String},
        )
        sequences = pl.DataFrame(
            {
                "row": np.arange(self.num_sequences, dtype=np.int64),
                "length": self.lengths,
                "digest": self.digests,
            },
            schema_overrides={"digest": pl.String},
        )
        reasons = self.failures.select("record", failure="reason")
        joined = records.join(sequences, on="row", how="left", maintain_order="left")
        return joined.join(reasons, on="record", how="left", maintain_order="left")

    def ids_between(self, start: int, stop: int) -> list[str]:
        """Reads some identifiers without keeping the others in memory."""
        return list(read_slab(dataset_at(self.file, "records/id"), start, stop))

    def find(self, id: str) -> list[int]:
        """Returns the indices of all records with an identifier, in input order."""
        return self._records_by_id.get(id, [])

    def reason(self, record: int) -> str:
        """Returns why a record failed."""
        found = self.failures.filter(pl.col("record") == record)["reason"]
        return found[0] if len(found) else "no reason given"

    @cached_property
    def _records_by_id(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = defaultdict(list)
        for record, id_ in enumerate(self.ids):
            found[id_].append(record)
        return dict(found)


def _decode(digests: np.ndarray) -> list[str]:
    return [digest.decode() for digest in digests.tolist()]
