"""Scanning: every input is read once, and no sequence is kept."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Int64

from bioseq.errors import OptionError
from bioseq.io import RecordRange, open_indexing
from bioseq.records import refget_digest
from bioseq.shards.identity import MARK_SIZE, digest_of_marks, mark_of
from bioseq.typing import AnyPath


@dataclass(frozen=True, kw_only=True)
class ScannedFile:
    """What is known of a file.

    Attributes:
        path: The file.
        format: Its format.
        num_bytes: Its size.
        first: Number of its first record in the whole input.
        count: Its records.
        offsets: Where each of them begins; None where a file can't be entered in the middle.
    """

    path: str
    format: str
    num_bytes: int
    first: int
    count: int
    offsets: Int64[np.ndarray, " records"] | None

    def range_of(self, start: int, stop: int) -> RecordRange:
        """Returns those of its records that lie between two places in the whole input."""
        first = min(max(0, start - self.first), self.count)
        count = min(self.count, stop - self.first) - first
        known = self.offsets is not None and first < self.count
        return RecordRange(
            path=self.path,
            format=self.format,
            first=first,
            count=max(0, count),
            offset=int(self.offsets[first]) if known and self.offsets is not None else None,
        )


@dataclass(frozen=True, kw_only=True)
class Scan:
    """What is known of the input.

    Attributes:
        files: Its files.
        lengths: Residues of each record.
        marks: 16 bytes for each record; see `mark_of`.
    """

    files: tuple[ScannedFile, ...]
    lengths: Int64[np.ndarray, " records"]
    marks: bytearray

    def digest(self, start: int, stop: int) -> str:
        """Returns the digest of the records between two places."""
        return digest_of_marks(memoryview(self.marks)[start * MARK_SIZE : stop * MARK_SIZE])

    def ranges(self, start: int, stop: int) -> tuple[RecordRange, ...]:
        """Gives the records between two places, file by file; one empty range if there are none."""
        found = [file.range_of(start, stop) for file in self.files]
        return tuple(part for part in found if part.count) or (found[0],)


def scan_files(paths: Sequence[AnyPath], *, format: str | None = None) -> Scan:
    """Reads every record of some files once.

    Raises:
        FormatError: A file is damaged or of no known format.
        InputError: A file is missing or not readable.
        OptionError: Standard input is given, which shards can't read again.
    """
    lengths, marks, files = array("q"), bytearray(), []
    for path in map(str, paths):
        if path == "-":
            raise OptionError("inputs", path, allowed="files, which every shard can read again")
        first = len(lengths)
        with open_indexing(path, format=format) as reader:
            for record in reader:
                lengths.append(len(record.sequence))
                digest = refget_digest(record.sequence)
                marks += mark_of(record.id, record.description, digest)
            files.append(
                ScannedFile(
                    path=path,
                    format=reader.format,
                    num_bytes=Path(path).stat().st_size,
                    first=first,
                    count=len(lengths) - first,
                    offsets=reader.offsets(),
                )
            )
    return Scan(files=tuple(files), lengths=np.array(lengths, np.int64), marks=marks)
