"""FASTQ through Biopython; the qualities are checked for their number and left out."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import TextIO, cast

from bioseq.errors import FormatError
from bioseq.io.fasta import split_header
from bioseq.records import Record


def read_fastq(text: io.TextIOBase, *, path: str) -> Iterator[Record]:
    """Reads FASTQ records, also those wrapped over several lines.

    Raises:
        FormatError: An entry is truncated, or its sequence and qualities differ in length. The line
            is the last one read, which is the entry's last or the header behind it.
    """
    from Bio.SeqIO.QualityIO import FastqGeneralIterator

    lines = _NumberedLines(text)
    entries = FastqGeneralIterator(cast(TextIO, lines))  # it needs no more than these methods
    while True:
        try:
            header, sequence, _ = next(entries)
        except StopIteration:
            return
        except ValueError as error:
            raise FormatError("FASTQ", path=path, line=lines.number, found=str(error)) from error
        id, description = split_header(header)
        yield Record(id, description, sequence)


class _NumberedLines:
    """The lines of a text, counted, without the blank lines before the first entry."""

    def __init__(self, text: io.TextIOBase) -> None:
        self._text = text
        self.number = 0

    def read(self, size: int) -> str:
        return self._text.read(size)

    def readline(self) -> str:
        line = next(self, "")
        while line.isspace():
            line = next(self, "")
        return line

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._text)
        self.number += 1
        return line
