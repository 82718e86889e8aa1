"""The input of a run: all records of all files, checked and counted as they pass."""

from __future__ import annotations

import itertools
import stat
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from bioseq.alphabet import SymbolCounts, detect_molecule
from bioseq.errors import InputError, OptionError
from bioseq.io import RecordRange, RecordReader, open_range, open_records
from bioseq.records import Record, refget_digest
from bioseq.runs.records import CheckedRecord, RecordChecker, fits
from bioseq.tokenizer import Tokenizer
from bioseq.typing import AnyPath, Molecule

_SAMPLE_RECORDS = 100
_SAMPLE_RESIDUES = 100_000  # the first records may be chromosomes
_FEWEST_LETTERS = 12  # fewer don't tell a peptide from an oligonucleotide
_COUNTED_TOGETHER = 1_000_000


class Inputs:
    """The records of some files, one after the other.

    Args:
        paths: The files or ranges of their records, or `-` for standard input.
        tokenizer: Makes the model's tokens.
        format: Format of the files; None: recognised.
        molecule: What they hold; None: what each record says, or else what it looks like.
        is_checked: Whether these are parts of an input that was found to suit the model before.

    Attributes:
        files: What is known of each file opened so far: name, format, compression.
        molecule: What the first records are; None where they don't tell.
        counts: Symbols of all records so far that can be computed.
        unknown_tokens: Their tokens that are the model's unknown token.

    Raises:
        InputError: a file is missing or a directory.
        FormatError: the first records are damaged.
        OptionError: there is no file, or the records are not what the model reads.
    """

    def __init__(
        self,
        paths: Sequence[AnyPath | RecordRange],
        tokenizer: Tokenizer,
        *,
        format: str | None = None,
        molecule: Molecule | None = None,
        is_checked: bool = False,
    ) -> None:
        if not paths:
            raise OptionError("inputs", [], allowed="at least one file, or - for standard input")
        self.files: list[dict[str, str | None]] = []
        self.counts = SymbolCounts()
        self.unknown_tokens = 0
        self._paths = list(paths)
        self._sizes = [_size_of(path) for path in paths]
        self._bytes_before = 0
        self._format = format
        self._tokenizer = tokenizer
        self._checker = RecordChecker(tokenizer, trusting=molecule is not None)
        self._reader: RecordReader | None = None
        self._uncounted: list[str] = []
        self._uncounted_size = 0
        self._records = self._read()
        self._sample = deque(_take_sample(self._records))
        self.molecule: Molecule | None = molecule or _molecule_of(
            self._sample, tokenizer.alphabet.molecule
        )
        if not is_checked:
            self._check_molecule()

    @property
    def fraction(self) -> float | None:
        """The part of the input read so far, 0 to 1; None where it can't be told."""
        if self._reader is None or None in self._sizes:
            return None
        sizes = [size or 0 for size in self._sizes]
        now = (self._reader.fraction or 0.0) * sizes[len(self.files) - 1]
        return min(1.0, (self._bytes_before + now) / max(1, sum(sizes)))

    def __iter__(self) -> Iterator[CheckedRecord]:
        for record in itertools.chain(self._take_back(), self._records):
            problem = self._checker.find_problem(record)
            if problem is None:
                self._count(record.sequence)
            yield CheckedRecord(
                record=record, digest=refget_digest(record.sequence), problem=problem
            )
        self._count_rest()

    def _take_back(self) -> Iterator[Record]:
        while self._sample:
            yield self._sample.popleft()

    def provenance(self) -> dict[str, object]:
        """Returns what a store says of the records: their files, molecule and symbols."""
        return {
            "inputs": self.files,
            "molecule": self.molecule or self._tokenizer.alphabet.molecule,
            "symbols": asdict(self.counts),
            "unknown_tokens": self.unknown_tokens,
        }

    def _read(self) -> Iterator[Record]:
        for path, size in zip(self._paths, self._sizes, strict=True):
            with self._open(path) as reader:
                self._reader = reader
                self.files.append(
                    {
                        "name": Path(reader.path).name,
                        "format": reader.format,
                        "compression": reader.compression,
                    }
                )
                yield from reader
            self._bytes_before += size or 0

    def _open(self, path: AnyPath | RecordRange) -> RecordReader:
        if isinstance(path, RecordRange):
            return open_range(path)
        return open_records(path, format=self._format)

    def _check_molecule(self) -> None:
        reads = self._tokenizer.alphabet.molecule
        if self.molecule is not None and not fits(self.molecule, reads):
            allowed = (
                f"{reads}, which the model reads; if the input is that, say --molecule {reads}"
            )
            name = f"{self._paths[0]}: molecule of the input"
            raise OptionError(name, self.molecule, allowed=allowed)

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


def _size_of(path: AnyPath | RecordRange) -> int | None:
    """Gives a file's bytes, None for a stream; a missing file is found before any work is done."""
    if isinstance(path, RecordRange):
        return path.count
    if str(path) == "-":
        return None
    try:
        status = Path(path).stat()
    except OSError as error:
        raise InputError(path, (error.strerror or str(error)).lower()) from None
    if stat.S_ISDIR(status.st_mode):
        raise InputError(path, "is a directory")
    return status.st_size if stat.S_ISREG(status.st_mode) else None


def _take_sample(records: Iterator[Record]) -> Iterator[Record]:
    residues = 0
    for record in itertools.islice(records, _SAMPLE_RECORDS):
        yield record
        residues += len(record.sequence)
        if residues >= _SAMPLE_RESIDUES:
            return


def _molecule_of(records: Iterable[Record], reads: Molecule) -> Molecule | None:
    """Returns what records are: what they say, the model's kind first, or what they look like."""
    stated: list[Molecule] = [r.molecule for r in records if r.molecule is not None]
    if stated:
        return max(stated, key=lambda molecule: fits(molecule, reads))
    if sum(len(record.sequence) for record in records) < _FEWEST_LETTERS:
        return None
    return detect_molecule(record.sequence for record in records)
