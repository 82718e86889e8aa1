"""The input of a run: all records of all files, checked and counted as they pass."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bioseq.alphabet import SymbolCounts, detect_molecule
from bioseq.errors import AlphabetError, OptionError
from bioseq.io import RecordReader, open_records
from bioseq.records import Record, refget_digest
from bioseq.tokenizer import Tokenizer
from bioseq.typing import AnyPath, Molecule

_SAMPLE_RECORDS = 100
_FEWEST_LETTERS = 50  # fewer don't tell a peptide from an oligonucleotide
_COUNTED_TOGETHER = 1_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckedRecord:
    """A record and whether it can be computed.

    Attributes:
        record: As read.
        digest: Refget digest of its sequence.
        problem: Why it can't be computed; None where it can.
    """

    record: Record
    digest: str
    problem: str | None


class Inputs:
    """The records of some files, one after the other.

    Attributes:
        files: What is known of each file opened so far: name, format, compression.
        molecule: What the first records look like; None where they don't tell.
        counts: Symbols of all records so far that can be computed.
        unknown_tokens: Their tokens that are the model's unknown token.
    """

    def __init__(
        self, paths: Sequence[AnyPath], tokenizer: Tokenizer, *, format: str | None
    ) -> None:
        if not paths:
            raise OptionError("inputs", [], allowed="at least one file, or - for standard input")
        self.files: list[dict[str, str | None]] = []
        self.molecule: Molecule | None = None
        self.counts = SymbolCounts()
        self.unknown_tokens = 0
        self._paths = list(paths)
        self._tokenizer = tokenizer
        self._format = format
        self._reader: RecordReader | None = None
        self._uncounted: list[str] = []
        self._uncounted_size = 0
        self._records = self._read()
        self._sample = list(itertools.islice(self._records, _SAMPLE_RECORDS))
        self.molecule = _molecule_of(self._sample)

    def check_molecule(self) -> None:
        """Checks that the records look like what the model reads.

        Raises:
            OptionError: one is protein and the other is not.
        """
        reads = self._tokenizer.alphabet.molecule
        if self.molecule is not None and (self.molecule == "protein") != (reads == "protein"):
            allowed = f"{reads}, which the model reads; if the input is that, say --molecule {reads}"
            raise OptionError("molecule of the input", self.molecule, allowed=allowed)

    @property
    def fraction(self) -> float | None:
        """The part of the input read so far, 0 to 1; None where it can't be told."""
        sizes = [Path(path).stat().st_size if str(path) != "-" else None for path in self._paths]
        if self._reader is None or None in sizes:
            return None
        done = sum(size or 0 for size in sizes[: len(self.files) - 1])
        now = (self._reader.fraction or 0.0) * (sizes[len(self.files) - 1] or 0)
        return (done + now) / max(1, sum(size or 0 for size in sizes))

    def __iter__(self) -> Iterator[CheckedRecord]:
        for record in itertools.chain(self._sample, self._records):
            problem = self._find_problem(record)
            if problem is None:
                self._count(record.sequence)
            yield CheckedRecord(
                record=record, digest=refget_digest(record.sequence), problem=problem
            )
        self._count_rest()

    def _read(self) -> Iterator[Record]:
        for path in self._paths:
            with open_records(path, format=self._format) as reader:
                self._reader = reader
                self.files.append(
                    {
                        "name": Path(reader.path).name,
                        "format": reader.format,
                        "compression": reader.compression,
                    }
                )
                yield from reader

    def _find_problem(self, record: Record) -> str | None:
        if not record.sequence:
            return "empty sequence"
        try:
            self._tokenizer.alphabet.check(record.sequence)
        except AlphabetError as error:
            return str(error)
        return None

    def _count(self, sequence: str) -> None:
        self._uncounted.append(sequence)
        self._uncounted_size += len(sequence)
        if self._uncounted_size >= _COUNTED_TOGETHER:
            self._count_rest()

    def _count_rest(self) -> None:
        self.counts += self._tokenizer.alphabet.count(self._uncounted)
        if self._tokenizer.unknown is not None:
            self.unknown_tokens += self._tokenizer.encode(self._uncounted).unknown
        self._uncounted, self._uncounted_size = [], 0


def _molecule_of(records: Sequence[Record]) -> Molecule | None:
    for record in records:
        if record.molecule is not None:
            return record.molecule
    if sum(len(record.sequence) for record in records) < _FEWEST_LETTERS:
        return None
    return detect_molecule(record.sequence for record in records)
