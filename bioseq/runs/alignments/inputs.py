"""The alignments of a run: files, folders of files, or the sequences of files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bioseq.errors import AlphabetError, FormatError, InputError, OptionError
from bioseq.io import open_records, read_alignment
from bioseq.msa import Alignment, Msa
from bioseq.records import Record, refget_digest
from bioseq.typing import AnyPath

SUFFIXES = (".a3m", ".a2m", ".sto", ".stk", ".stockholm")
_COMPRESSED = (".gz", ".bgz", ".bz2", ".xz", ".zst")


@dataclass(frozen=True, kw_only=True)
class AlignmentRecord:
    """One alignment, or why there is none.

    Attributes:
        id: Name of the file without its endings; for a sequence alone, its own.
        description: Header of the query; for a sequence alone, its description.
        digest: Identity of the content; empty where it can't be read.
        msa: The alignment; None where it can't be used.
        problem: Why not; empty where it can.
    """

    id: str
    description: str = ""
    digest: str = ""
    msa: Msa | None = None
    problem: str = ""


def list_alignments(inputs: Sequence[AnyPath]) -> list[Path]:
    """Lists the files to read: those named, and in a folder those that end like an alignment.

    Raises:
        InputError: a file does not exist, or a folder holds no alignment.
        OptionError: nothing is named.
    """
    if not inputs:
        raise OptionError("inputs", [], allowed="at least one alignment or folder of alignments")
    files: list[Path] = []
    for path in map(Path, inputs):
        if not path.exists():
            raise InputError(path, "no such file or directory")
        found = _in_folder(path) if path.is_dir() else [path]
        if not found:
            raise InputError(path, f"holds no file that ends in {', '.join(SUFFIXES)}")
        files += found
    return files


def read_alignments(files: Sequence[Path], *, format: str | None) -> Iterator[AlignmentRecord]:
    """Reads one alignment after the other; a bad one is a record with a problem."""
    for path in files:
        yield _read(path, format)


def read_sequences(files: Sequence[Path], *, format: str | None) -> Iterator[AlignmentRecord]:
    """Reads every sequence of some files as an alignment of one row.

    Raises:
        FormatError: a file is damaged.
    """
    for path in files:
        with open_records(path, format=format) as records:
            yield from map(_from_record, records)


def _in_folder(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if _suffix(path) in SUFFIXES)


def _suffix(path: Path) -> str:
    """Returns the ending that tells the format, before that of the compression."""
    return Path(path.stem).suffix if path.suffix in _COMPRESSED else path.suffix


def _name(path: Path) -> str:
    name = path.name
    for endings in (_COMPRESSED, SUFFIXES):
        name = next((name.removesuffix(end) for end in endings if name.endswith(end)), name)
    return name


def _read(path: Path, format: str | None) -> AlignmentRecord:
    try:
        alignment = read_alignment(path, format=format)
    except (FormatError, InputError) as error:
        return AlignmentRecord(id=_name(path), problem=str(error))
    header = f"{alignment.ids[0]} {alignment.descriptions[0]}".strip()
    return _cut(alignment, id=_name(path), description=header, digest=alignment.digest)


def _from_record(record: Record) -> AlignmentRecord:
    alone = Alignment(
        ids=(record.id,), descriptions=("",), rows=(record.sequence,), format="stockholm"
    )
    digest = refget_digest(record.sequence)
    return _cut(alone, id=record.id, description=record.description, digest=digest)


def _cut(alignment: Alignment, *, id: str, description: str, digest: str) -> AlignmentRecord:
    try:
        msa, problem = Msa.from_alignment(alignment), ""
    except (AlphabetError, OptionError) as error:
        msa, problem = None, str(error)
    return AlignmentRecord(id=id, description=description, digest=digest, msa=msa, problem=problem)
