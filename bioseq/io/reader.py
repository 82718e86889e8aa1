"""The one verb of reading: `open_records`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from types import TracebackType
from typing import TypeVar

from bioseq.errors import FormatError
from bioseq.io.alignment import read_a3m_records, read_stockholm_records
from bioseq.io.biopython import read_annotated
from bioseq.io.detection import EMPTY, HEAD_SIZE, resolve_format
from bioseq.io.fasta import read_fasta
from bioseq.io.fastq import read_fastq
from bioseq.io.stream import BinarySource, ByteStream, open_stream
from bioseq.io.structures import read_structure
from bioseq.records import Record
from bioseq.typing import AnyPath

Reader = TypeVar("Reader", bound="RecordReader")

_READERS: dict[str, Callable[[ByteStream], Iterator[Record]]] = {
    EMPTY: lambda _: iter(()),
    "fasta": lambda stream: read_fasta(stream.blocks(), path=stream.path),
    "fastq": lambda stream: read_fastq(stream.text(), path=stream.path),
    "a3m": read_a3m_records,
    "stockholm": read_stockholm_records,
    "genbank": partial(read_annotated, format="genbank"),
    "embl": partial(read_annotated, format="embl"),
    "swiss": partial(read_annotated, format="swiss"),
    "uniprot-xml": partial(read_annotated, format="uniprot-xml"),
    "seqxml": partial(read_annotated, format="seqxml"),
    "pir": partial(read_annotated, format="pir"),
    "pdb": partial(read_structure, format="pdb"),
    "mmcif": partial(read_structure, format="mmcif"),
}


class RecordReader:
    """The records of one input, read once from front to back; also a context manager.

    Attributes:
        path: The file's name; `"<stdin>"` for standard input.
        format: The format's name; `"empty"` for a file of nothing but white space.
        compression: `"gzip"`, `"bzip2"`, `"xz"`, `"zstd"`, or None for plain bytes.
    """

    def __init__(self, stream: ByteStream, *, format: str) -> None:
        self.path = stream.path
        self.format = format
        self.compression = stream.compression
        self._stream = stream
        self._records = _read(stream, format=format)

    @property
    def fraction(self) -> float | None:
        """The part of the (compressed) input read so far, 0 to 1; None for a pipe."""
        return self._stream.fraction

    def __iter__(self) -> Iterator[Record]:
        return self._records  # not self: a generator is faster than calls of __next__

    def __next__(self) -> Record:
        return next(self._records)

    def __enter__(self: Reader) -> Reader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the file, if `open_records` opened it."""
        self._stream.close()


def open_records(source: AnyPath | BinarySource, *, format: str | None = None) -> RecordReader:
    """Opens a file of sequences in any supported format and compression.

    Compression and format are recognised by content, never by the name, except that the suffix
    `.a3m` tells A3M from FASTA.

    Args:
        source: A path, `"-"` for standard input, or a binary stream (which stays open).
        format: One of `bioseq.io.detection.FORMATS`; None: recognise it.

    Returns:
        An iterator of records. While iterating it raises `FormatError` where the file is damaged,
        truncated, or holds no record although it is not empty.

    Raises:
        FormatError: The content is of no known format, or the compressed data are damaged.
        InputError: The file is missing, a directory or not readable.
        MissingDependencyError: zstd data without the package `zstandard`.
        OptionError: There is no such format.
    """
    stream = open_stream(source)
    try:
        stream.skip_bom()
        found = resolve_format(stream.head(HEAD_SIZE), path=stream.path, format=format)
    except BaseException:
        stream.close()
        raise
    return RecordReader(stream, format=found)


def _read(stream: ByteStream, *, format: str) -> Iterator[Record]:
    number = 0
    for number, record in enumerate(_READERS[format](stream), start=1):
        if "\0" in record.id or "\0" in record.description:
            found = f"a NUL character in the header of record {number}"
            raise FormatError(format, path=stream.path, found=found)
        yield record
    if not number and format != EMPTY:
        raise FormatError(format, path=stream.path, found="no record in a file that is not empty")
