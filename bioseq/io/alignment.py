"""Alignments: A3M and Stockholm, as aligned rows or as the records of their sequences."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass

from bioseq.errors import FormatError, OptionError
from bioseq.io.detection import HEAD_SIZE, resolve_format
from bioseq.io.fasta import read_entries, split_entry
from bioseq.io.stream import ByteStream, open_stream
from bioseq.msa import Alignment
from bioseq.records import Record
from bioseq.typing import AnyPath

# Rows that hh-suite writes between the sequences: predicted or observed structure, confidences.
_ANNOTATION = re.compile(r"(ss_pred|ss_conf|ss_dssp|sa_dssp|aa_dssp|aa_pred)\b")
_CONSENSUS = re.compile(r"Consensus$|.*_consensus$")
_GAPS = str.maketrans("", "", "-.")
_INSERTIONS = re.compile(r"[a-z.]")


@dataclass(frozen=True, slots=True)
class _Row:
    id: str
    description: str
    row: str

    def to_record(self) -> Record:
        return Record(self.id, self.description, self.row.translate(_GAPS).upper())


def read_alignment(path: AnyPath, *, format: str | None = None) -> Alignment:
    """Reads one whole alignment.

    Annotation rows (`ss_pred`, `sa_dssp`, ...), consensus rows and `#` lines of A3M are left out.

    Args:
        path: The file, compressed or not; `"-"` is standard input.
        format: `"a3m"` or `"stockholm"`; None: recognise it. Aligned FASTA is read as A3M.

    Raises:
        FormatError: The file is no alignment, holds none or several, or its rows do not fit.
        InputError: The file can't be opened.
        OptionError: The format is not one of alignments.
    """
    with open_stream(path) as stream:
        stream.skip_bom()
        found = resolve_format(stream.head(HEAD_SIZE), path=stream.path, format=format)
        rows = _read_rows(stream, format=found)
        return Alignment(
            ids=tuple(row.id for row in rows),
            descriptions=tuple(row.description for row in rows),
            rows=tuple(row.row for row in rows),
            format="stockholm" if found == "stockholm" else "a3m",
        )


def read_a3m_records(stream: ByteStream) -> Iterator[Record]:
    """Reads the sequences of an A3M file: gaps removed, insertions in upper case."""
    return (row.to_record() for row in _read_a3m(stream))


def read_stockholm_records(stream: ByteStream) -> Iterator[Record]:
    """Reads the sequences of all alignments of a Stockholm file, gaps removed, in upper case."""
    alignments = _read_stockholm(stream.text(), path=stream.path)
    return (row.to_record() for rows in alignments for row in rows)


def _read_rows(stream: ByteStream, *, format: str) -> list[_Row]:
    if format in ("a3m", "fasta"):
        rows = list(_read_a3m(stream))
        _check_match_columns(rows, path=stream.path)
    elif format == "stockholm":
        alignments = list(_read_stockholm(stream.text(), path=stream.path))
        if len(alignments) > 1:
            found = f"{len(alignments)} alignments"
            raise FormatError(format, path=stream.path, found=found, expected="one in a file")
        rows = [row for alignment in alignments for row in alignment]
    elif format == "empty":
        rows = []
    else:
        raise OptionError("alignment format", format, allowed=("a3m", "stockholm"))
    if not rows:
        raise FormatError(format, path=stream.path, found="no sequence", expected="an alignment")
    return rows


def _read_a3m(stream: ByteStream) -> Iterator[_Row]:
    for entry in read_entries(stream.blocks(), path=stream.path):
        row = _Row(*split_entry(entry))
        if not (_ANNOTATION.match(row.id) or _CONSENSUS.match(row.id)):
            yield row


def _check_match_columns(rows: list[_Row], *, path: str) -> None:
    widths = (len(_INSERTIONS.sub("", row.row)) for row in rows)
    first = next(widths, 0)
    for row, width in zip(rows[1:], widths, strict=True):
        if width != first:
            found = f"{width} match columns in row {row.id!r}, {first} in row {rows[0].id!r}"
            raise FormatError("A3M", path=path, found=found, expected="the same number in all rows")


def _read_stockholm(text: io.TextIOBase, *, path: str) -> Iterator[list[_Row]]:
    """Yields each alignment's rows.

    Own code, since Biopython turns the `.` of insert columns into `-` and accepts a truncated file.
    """
    rows: dict[str, list[str]] = {}
    descriptions: dict[str, list[str]] = {}
    number = 0
    for number, line in enumerate(text, start=1):
        words = line.split()
        if words == ["//"]:
            yield _join_blocks(rows, descriptions, path=path, line=number)
            rows, descriptions = {}, {}
        elif words[:1] == ["#=GS"] and words[2:3] == ["DE"]:
            descriptions.setdefault(words[1], []).append(" ".join(words[3:]))
        elif words and not words[0].startswith("#"):
            if len(words) == 1:
                found = f"a row without sequence: {words[0][:40]!r}"
                raise FormatError("Stockholm", path=path, line=number, found=found)
            rows.setdefault(words[0], []).extend(words[1:])
    if rows:
        found = "the end of the file before the end of the alignment"
        raise FormatError("Stockholm", path=path, line=number, found=found, expected="'//'")


def _join_blocks(
    rows: dict[str, list[str]], descriptions: dict[str, list[str]], *, path: str, line: int
) -> list[_Row]:
    joined = [
        _Row(id, " ".join(descriptions.get(id, ())), "".join(parts)) for id, parts in rows.items()
    ]
    for row in joined:
        if len(row.row) != len(joined[0].row):
            first = joined[0]
            found = f"{len(row.row)} columns in row {row.id!r}, {len(first.row)} in {first.id!r}"
            raise FormatError("Stockholm", path=path, line=line, found=found)
    return joined
