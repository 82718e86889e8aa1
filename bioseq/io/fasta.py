"""FASTA, streamed in large blocks of bytes: the fast path of all readers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from bioseq.errors import FormatError
from bioseq.records import Record

_COMMENT_MARKS = (b";", b"#", b"!")
# What BLAST and Biopython's "fasta-blast" leave out: no residue is written so.
_COMMENT_LINE = re.compile(rb"\n[;#!].*")
_WHITE_SPACE = str.maketrans("", "", " \t\v\f")


def read_fasta(blocks: Iterable[bytes], *, path: str) -> Iterator[Record]:
    """Reads FASTA records.

    The id is the header's first word, the description all that follows the blank or tab behind it.
    White space inside a sequence goes, and so do lines that start with `;`, `#` or `!`; everything
    else stays as given, symbols of no alphabet included. A record may have an empty sequence.

    Args:
        blocks: The file's bytes, cut anywhere; any mixture of line ends.
        path: The file's name for messages.

    Raises:
        FormatError: There is text that is neither blank nor a comment before the first header.
    """
    for entry in read_entries(blocks, path=path):
        id, description, sequence = split_entry(entry)
        yield Record(id, description, sequence)


def split_entry(entry: bytes) -> tuple[str, str, str]:
    """Splits an entry into id, description, and its lines joined without white space."""
    header, _, body = entry.partition(b"\n")
    # Replacing line ends and then asking for rarer white space is twice as fast as one translate.
    body = body.replace(b"\n", b"")
    sequence = decode(body)
    if " " in sequence or "\t" in sequence or "\v" in sequence or "\f" in sequence:
        sequence = sequence.translate(_WHITE_SPACE)
    return *split_header(decode(header)), sequence


def read_entries(blocks: Iterable[bytes], *, path: str) -> Iterator[bytes]:
    r"""Cuts FASTA text into entries: the header without `>`, `\n`, and the lines that follow it.

    Comment lines are left out.

    Raises:
        FormatError: There is text that is neither blank nor a comment before the first header.
    """
    started = False
    pending: list[bytes] = []
    held = b"\n"  # a line end waits for the next block, so that no "\n>" is ever cut in two
    for block in _unify_line_ends(blocks):
        text = held + block
        held = b"\n" if text.endswith(b"\n") else b""
        pieces = text.removesuffix(b"\n").split(b"\n>")
        pending.append(pieces[0])
        if not started:
            _check_preamble(b"".join(pending), path=path)
        if len(pieces) == 1:
            continue
        if started:
            yield _join(pending)
        started = True
        middle = pieces[1:-1]
        yield from map(_drop_comments, middle) if _has_comments(text) else middle
        pending = [pieces[-1]]
    if started:
        yield _join(pending)


def _join(pending: list[bytes]) -> bytes:
    entry = b"".join(pending)
    pending.clear()  # now, not at the next entry: the pieces may be those of a chromosome
    return _drop_comments(entry)


def _has_comments(text: bytes) -> bool:
    # The search for one byte is far faster than that for two and nearly always enough.
    return any(mark in text and b"\n" + mark in text for mark in _COMMENT_MARKS)


def _drop_comments(entry: bytes) -> bytes:
    return _COMMENT_LINE.sub(b"", entry) if _has_comments(entry) else entry


def split_header(header: str) -> tuple[str, str]:
    """Splits a header into id and description at the first blank or tab behind the first word."""
    header = header.lstrip(" \t")
    id, _, description = header.partition(" ")
    if "\t" in id:
        id, _, description = header.partition("\t")
    return id, description


def decode(text: bytes) -> str:
    """Decodes UTF-8, or Latin-1 where it is not UTF-8."""
    try:
        return text.decode()
    except UnicodeDecodeError:
        return text.decode("latin-1")


def _unify_line_ends(blocks: Iterable[bytes]) -> Iterator[bytes]:
    carry = b""
    for block in blocks:
        text = carry + block if carry else block
        carry = b""
        if b"\r" in text:
            carry = b"\r" if text.endswith(b"\r") else b""  # its "\n" may come with the next block
            text = text.removesuffix(b"\r").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        yield text


def _check_preamble(text: bytes, *, path: str) -> None:
    # The text starts with the "\n" that was put before the first block.
    for number, line in enumerate(text.split(b"\n")[1:], start=1):
        if line.strip() and line[:1] not in _COMMENT_MARKS:
            raise FormatError(
                "FASTA",
                path=path,
                line=number,
                found=f"{decode(line[:40])!r} before the first '>'",
                expected="a header line that starts with '>'",
            )
