"""A part: one immutable file with the results of one block.

A part is a store of its own, except that record indices and rows count from the beginning of the
whole work: a record may point to a row that an earlier part holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from bioseq.errors import StoreError
from bioseq.store.attributes import read_attribute
from bioseq.store.block import Block
from bioseq.store.columns import group_at, open_readable
from bioseq.store.format import FORMAT, FORMAT_VERSION, NO_ROW, TABLES
from bioseq.store.values import table_counts, value_paths, value_shape, verify_checksums
from bioseq.store.writer import Contents, StoredShape, writing_store


@dataclass(frozen=True, slots=True, kw_only=True)
class PartSummary:
    """Where a part lies and which stretch of the work it covers.

    Attributes:
        index: 0-based number of the part.
        path: The file.
        first_record: Index of its first record in the whole input.
        num_records: Records, failed ones included.
        first_row: Row of its first sequence in the whole store.
        num_sequences: Sequences that appear first in this part.
        num_failures: Records that failed.
        values: Shape of each set of values, by path.
    """

    index: int
    path: Path
    first_record: int
    num_records: int
    first_row: int
    num_sequences: int
    num_failures: int
    values: dict[str, StoredShape]

    @classmethod
    def of_file(
        cls,
        file: h5py.File,
        path: Path,
        *,
        index: int = 0,
        first_record: int = 0,
        first_row: int = 0,
    ) -> PartSummary:
        """Describes an open part, or a finished store as if it were the only part."""
        counts = table_counts(file)
        return cls(
            index=index,
            path=path,
            first_record=first_record,
            num_records=counts["records"],
            first_row=first_row,
            num_sequences=counts["sequences"],
            num_failures=counts["failures"],
            values={name: value_shape(group_at(file, name)) for name in value_paths(file)},
        )

    @property
    def counts(self) -> dict[str, int]:
        """Number of rows of each table."""
        counts = (self.num_records, self.num_sequences, self.num_failures)
        return dict(zip(TABLES, counts, strict=True))

    @property
    def next_record(self) -> int:
        """Index of the first record behind this part."""
        return self.first_record + self.num_records

    @property
    def next_row(self) -> int:
        """Row of the first sequence behind this part."""
        return self.first_row + self.num_sequences


def part_path(folder: Path, index: int) -> Path:
    """Returns the file name of a part."""
    return folder / f"part-{index:06d}.h5"


def check_position(block: Block, *, first_record: int, first_row: int, path: Path) -> None:
    """Checks that the rows and failures of a block fit the place it is written to.

    Raises:
        StoreError: A row or a record index points outside what is known by then.
    """
    end = first_row + len(block.digests)
    rows = np.asarray(block.rows)
    if len(rows) and (rows.min() < NO_ROW or rows.max() >= end):
        raise StoreError(path, f"rows {rows.min()} to {rows.max()} leave the range -1 to {end - 1}")
    failed = (np.flatnonzero(rows == NO_ROW) + first_record).tolist()
    if failed != [failure.record for failure in block.failures]:
        raise StoreError(path, "the failures are not those records, in order, whose row is -1")


def write_part(
    folder: Path,
    block: Block,
    *,
    index: int,
    first_record: int,
    first_row: int,
    fingerprint: str,
    attributes: dict[str, dict[str, object]],
) -> PartSummary:
    """Writes one block as a whole file: temporary name, sync, rename."""
    path = part_path(folder, index)
    check_position(block, first_record=first_record, first_row=first_row, path=path)
    summary = PartSummary(
        index=index,
        path=path,
        first_record=first_record,
        num_records=len(block.ids),
        first_row=first_row,
        num_sequences=len(block.digests),
        num_failures=len(block.failures),
        values={name: StoredShape.of(values) for name, values in block.groups().items()},
    )
    contents = Contents(
        counts=summary.counts,
        values=summary.values,
        fingerprint=fingerprint,
        attributes=attributes,
        root={"part": index, "first_record": first_record, "first_row": first_row},
    )
    with writing_store(path, contents) as writer:
        writer.append_tables(block)
        for name, values in block.groups().items():
            writer.append_values(name, values)
    return summary


def read_part(path: Path, *, fingerprint: str) -> PartSummary:
    """Reads where a part belongs, after comparing every byte with the checksums.

    Raises:
        StoreError: The part is missing, damaged, unfinished or of other work.
    """
    with open_readable(path) as file:
        summary = _summary_of(file, path, fingerprint)
        verify_checksums(file)
    return summary


def _summary_of(file: h5py.File, path: Path, fingerprint: str) -> PartSummary:
    attributes = {name: file.attrs.get(name) for name in ("format", "fingerprint")}
    wanted = {"format": FORMAT, "fingerprint": fingerprint}
    is_known = read_attribute(file, "format_version", int) in range(1, FORMAT_VERSION + 1)
    if attributes != wanted or not is_known or not read_attribute(file, "complete", bool):
        raise StoreError(path, "is not a complete part of this work")
    return PartSummary.of_file(
        file,
        path,
        index=read_attribute(file, "part", int),
        first_record=read_attribute(file, "first_record", int),
        first_row=read_attribute(file, "first_row", int),
    )
