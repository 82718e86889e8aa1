"""The inputs of a structure prediction: proteins, each alone or with its family."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from bioseq.alphabet import PROTEIN
from bioseq.errors import AlphabetError
from bioseq.io import open_records
from bioseq.msa import Alignment, Msa
from bioseq.records import Record, refget_digest
from bioseq.runs import AlignmentRecord, read_alignments

_ALIGNMENT_FORMATS = ("a3m", "stockholm")


def read_proteins(files: Sequence[Path], *, format: str | None) -> Iterator[AlignmentRecord]:
    """Reads one protein after the other; a bad one is a record with a problem.

    An alignment is one protein, its query. Every record of a file of sequences is a protein without
    a family.

    Args:
        files: The files.
        format: Of all files; None: recognised.

    Raises:
        FormatError: a file of sequences is damaged.
    """
    for path in files:
        with open_records(path, format=format) as records:
            is_alignment = records.format in _ALIGNMENT_FORMATS
            if not is_alignment:
                yield from map(_as_alignment, records)
        if is_alignment:
            yield from read_alignments([path], format=format)


def _as_alignment(record: Record) -> AlignmentRecord:
    """Makes an alignment of one row."""
    problem, sequence = _find_problem(record), record.sequence.upper()
    alignment = Alignment(ids=(record.id,), descriptions=("",), rows=(sequence,))
    return AlignmentRecord(
        id=record.id,
        description=record.description,
        digest=refget_digest(sequence),
        msa=None if problem else Msa.from_alignment(alignment),
        problem=problem,
    )


def _find_problem(record: Record) -> str:
    """Says in one line why a record can't be folded; nothing where it can."""
    if not record.sequence:
        return "empty sequence"
    if record.molecule not in (None, "protein"):
        return f"{record.molecule}, but the model reads protein"
    try:
        PROTEIN.check(record.sequence)
    except AlphabetError as error:
        return str(error)
    for position, symbol in enumerate(record.sequence, start=1):
        if symbol in PROTEIN.marks:
            return f"symbol {symbol!r} at position {position} stands for no residue"
    return ""
