"""Ranges: consecutive records of one file, found again without parsing what comes before."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
from jaxtyping import Int64

from bioseq.io.bgzip import HEADER_SIZE, BgzipSource, is_bgzip
from bioseq.io.detection import HEAD_SIZE, resolve_format
from bioseq.io.reader import RecordReader
from bioseq.io.stream import ByteStream, open_file
from bioseq.records import Record
from bioseq.typing import AnyPath

_MARK, _LINE_FEED, _RETURN = b">\n\r"


@dataclass(frozen=True, kw_only=True)
class RecordRange:
    """Consecutive records of one file.

    Attributes:
        path: The file.
        format: Its format.
        first: 0-based number of the first record in the file.
        count: Records.
        offset: Where the first record begins: a byte of a plain file, a virtual offset of a bgzip
            file; None where only reading all records before it leads there.
    """

    path: str
    format: str
    first: int
    count: int
    offset: int | None = None


class RangeReader(RecordReader):
    """The records of a range, read once; see `open_range`."""

    def __init__(self, stream: ByteStream, part: RecordRange) -> None:
        super().__init__(stream, format=part.format)
        skipped = part.first if part.offset is None else 0
        self._wanted = part.count
        self._given = 0
        self._records = self._count(islice(self._records, skipped, skipped + part.count))

    @property
    def fraction(self) -> float:
        """The part of the range that has been read, 0 to 1."""
        return self._given / self._wanted if self._wanted else 1.0

    def _count(self, records: Iterator[Record]) -> Iterator[Record]:
        for record in records:
            self._given += 1
            yield record


def open_range(part: RecordRange) -> RangeReader:
    """Opens a range of records; there are fewer of them where the file has become shorter.

    Raises:
        FormatError: The file is damaged, or no record begins at the offset.
        InputError: The file is missing or not readable.
    """
    start = part.offset or 0
    stream = ByteStream(_open_source(part.path, start), path=part.path, owned=True)
    if not start:
        stream.skip_bom()
    return RangeReader(stream, part)


class IndexingReader(RecordReader):
    """All records of a file, read once, and where they begin; see `open_indexing`."""

    def __init__(self, stream: _WatchedStream, *, format: str) -> None:
        super().__init__(stream, format=format)
        self._watched = stream

    def offsets(self) -> Int64[np.ndarray, " records"] | None:
        """Gives the offset of each record read, as in `RecordRange`; None where there are none."""
        if self.format != "fasta" or self.compression not in (None, "bgzip"):
            return None
        return self._watched.offsets()


def open_indexing(path: AnyPath, *, format: str | None = None) -> IndexingReader:
    """Opens a file of sequences to find out where its records begin.

    Args:
        path: The file.
        format: One of `bioseq.io.detection.FORMATS`; None: recognise it.

    Raises:
        FormatError: The content is of no known format, or the compressed data are damaged.
        InputError: The file is missing, a directory or not readable.
    """
    name = str(path)
    stream = _WatchedStream(_open_source(name, 0), path=name)
    try:
        stream.position = stream.skip_bom()
        found = resolve_format(stream.head(HEAD_SIZE), path=name, format=format)
    except BaseException:
        stream.close()
        raise
    return IndexingReader(stream, format=found)


def _open_source(path: str, start: int) -> io.RawIOBase:
    file = open_file(path)
    if is_bgzip(file.read(HEADER_SIZE)):
        file.close()
        return BgzipSource(path, start=start)
    file.seek(start)
    return file


class _WatchedStream(ByteStream):
    """Notes where FASTA records begin in the text that passes through.

    Attributes:
        position: Bytes of the text that have passed.
    """

    def __init__(self, raw: io.RawIOBase, *, path: str) -> None:
        super().__init__(raw, path=path, owned=True)
        self.position = 0
        self._source = raw
        self._last = _LINE_FEED
        self._starts: list[Int64[np.ndarray, " records"]] = []
        if isinstance(raw, BgzipSource):
            self.compression = "bgzip"

    def blocks(self) -> Iterator[bytes]:
        for block in super().blocks():
            text = np.frombuffer(block, np.uint8)
            marks = np.flatnonzero(text == _MARK)
            before = np.where(marks == 0, self._last, text[marks - 1])
            self._starts.append(marks[(before == _LINE_FEED) | (before == _RETURN)] + self.position)
            self._last = block[-1]
            self.position += len(block)
            yield block

    def offsets(self) -> Int64[np.ndarray, " records"]:
        starts = np.concatenate([np.zeros(0, np.int64), *self._starts])
        if isinstance(self._source, BgzipSource):
            return self._source.virtual_offsets(starts)
        return starts
