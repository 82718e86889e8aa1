"""Which format a text is in, told from its first bytes."""

from __future__ import annotations

import re
from pathlib import PurePath

from bioseq.errors import FormatError, OptionError

HEAD_SIZE = 1 << 16

FORMATS = (
    "fasta",
    "fastq",
    "a3m",
    "stockholm",
    "genbank",
    "embl",
    "swiss",
    "uniprot-xml",
    "seqxml",
    "pir",
    "pdb",
    "mmcif",
)
EMPTY = "empty"

_COMPRESSED_SUFFIXES = {".gz", ".bgz", ".bz2", ".xz", ".zst"}

# The first line decides; the first rule that fits it wins.
_LINE_RULES = (
    ("stockholm", re.compile(rb"# STOCKHOLM 1\.")),
    ("a3m", re.compile(rb"#A3M#|#\d+(,\d+)*\t\d+(,\d+)*$")),  # the second: what ColabFold writes
    ("genbank", re.compile(rb"LOCUS {2,}\S|.*Genetic Sequence Data Bank")),
    ("swiss", re.compile(rb"ID   \S+\s+(Reviewed|Unreviewed|STANDARD|PRELIMINARY);.*\bAA\.")),
    ("embl", re.compile(rb"ID   \S")),
    ("pir", re.compile(rb">(P1|F1|D[LC]|R[LC]|N[13]|XX);")),  # the next line is a title
    (
        "pdb",
        re.compile(
            rb"(HEADER|OBSLTE|TITLE |CAVEAT|COMPND|SOURCE|KEYWDS|EXPDTA|NUMMDL|MDLTYP|AUTHOR"
            rb"|REMARK|PARENT|DBREF |SEQRES|CRYST1|MODEL |ATOM  |HETATM)( |\d|$)"
        ),
    ),
)
# '@' also starts a SAM header, which names a two-letter record type and a tab.
_FASTQ = re.compile(rb"@(?![A-Z]{2}\t)")
_XML_RULES = (
    ("uniprot-xml", re.compile(rb"<uniprot[\s>]")),
    ("seqxml", re.compile(rb"<seqXML[\s>]")),
)
_COMMENT = re.compile(rb"[;#!]")


def resolve_format(head: bytes, *, path: str, format: str | None) -> str:
    """Returns the format that was asked for, or the one that the text is in.

    Args:
        head: The first `HEAD_SIZE` bytes without byte order mark, or all bytes of a shorter file.
        path: The file's name, for the suffix and for messages.
        format: A member of `FORMATS`; None: recognise it.

    Returns:
        A member of `FORMATS`, or `EMPTY` for a file of nothing but white space.

    Raises:
        FormatError: No format fits.
        OptionError: The format asked for does not exist.
    """
    if format is not None and format not in FORMATS:
        raise OptionError("format", format, allowed=FORMATS)
    if not head.strip() and len(head) < HEAD_SIZE:
        return EMPTY
    return format or detect_format(head, path=path)


def detect_format(head: bytes, *, path: str) -> str:
    """Recognises the format of a text by content.

    A3M and FASTA can look the same; the suffix `.a3m` (also before `.gz` and the like) decides.

    Args:
        head: The first `HEAD_SIZE` bytes without byte order mark, or all bytes of a shorter file.
        path: The file's name, for the suffix and for messages.

    Returns:
        A member of `FORMATS`.

    Raises:
        FormatError: No format fits.
    """
    lines = [line for line in re.split(rb"[\r\n]+", head) if line.strip()]
    found = _detect(lines) if lines else None
    if found is None:
        expected = f"one of {', '.join(FORMATS)}; or name the format"
        raise FormatError("sequence file", path=path, found=_show(head), expected=expected)
    return "a3m" if found == "fasta" and has_suffix(path, ".a3m") else found


def has_suffix(path: str, suffix: str) -> bool:
    """Returns whether the name ends in the suffix, not counting a suffix of compression."""
    name = PurePath(path.lower())
    if name.suffix in _COMPRESSED_SUFFIXES:
        name = name.with_suffix("")
    return name.suffix == suffix


def _detect(lines: list[bytes]) -> str | None:
    first = lines[0]
    for name, rule in _LINE_RULES:
        if rule.match(first):
            return name
    if first.lstrip().startswith(b"<"):
        text = b"\n".join(lines)
        return next((name for name, rule in _XML_RULES if rule.search(text)), None)
    if _FASTQ.match(first):
        return "fastq"
    return _detect_behind_comments(lines)


def _detect_behind_comments(lines: list[bytes]) -> str | None:
    entry = next((line for line in lines if not _COMMENT.match(line)), b"")
    if entry.startswith(b">"):
        return "fasta"
    return "mmcif" if entry.startswith(b"data_") else None


def _show(head: bytes) -> str:
    """The first characters in printable form."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "UTF-16 text (save it as UTF-8)"
    text = head.lstrip()[:40].decode("utf-8", "backslashreplace")
    return f"text that starts with {text!r}"
