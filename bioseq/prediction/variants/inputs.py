"""What is scored: a wild type, and variants of it from a table or a file of sequences."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from bioseq.errors import FormatError, InputError, VariantError
from bioseq.io import open_records
from bioseq.prediction.variants.mutations import WildType, read_sequence
from bioseq.records import Record, refget_digest
from bioseq.runs import CheckedRecord, Inputs, RecordChecker
from bioseq.tokenizer import Tokenizer
from bioseq.typing import AnyPath

_TABLES = (".csv", ".tsv", ".txt", ".parquet")
_COMPRESSED = (".gz", ".zst")


def read_wild_type(path: AnyPath, tokenizer: Tokenizer, *, first_residue: int = 1) -> WildType:
    """Reads the one sequence of a file.

    Args:
        path: The file, in any format that holds sequences.
        tokenizer: The model's.
        first_residue: Number of its first residue in the variants' names.

    Raises:
        InputError: it holds no sequence, several, or one that the model can't read.
    """
    with open_records(path) as reader:
        records = list(reader)
    if len(records) != 1:
        problem = f"holds {len(records):,} sequences; a wild type is one sequence"
        raise InputError(path, f"{problem}, and only whole scans take several")
    record = records[0]
    problem = RecordChecker(tokenizer, trusting=False).find_problem(record)
    if problem is not None:
        raise InputError(path, f"the wild type {record.id}: {problem}")
    alphabet = tokenizer.alphabet
    return WildType(
        id=record.id,
        sequence=read_sequence(record.sequence, alphabet),
        alphabet=alphabet,
        first_residue=first_residue,
    )


class ScanInputs(Inputs):
    """The sequences of a whole scan, as the model reads them.

    Args:
        path: The file.
        tokenizer: The model's.
        keep: Whether their sequences are asked for later.
    """

    def __init__(self, path: AnyPath, tokenizer: Tokenizer, *, keep: bool = False) -> None:
        super().__init__([path], tokenizer)
        self._alphabet = tokenizer.alphabet
        self._kept: list[str] | None = [] if keep else None

    @property
    def sequences(self) -> list[str]:
        """The sequences of all records, if they are kept; reads what has not been read."""
        for _ in self:
            pass
        return self._kept or []

    def __iter__(self) -> Iterator[CheckedRecord]:
        for checked in super().__iter__():
            sequence = read_sequence(checked.record.sequence, self._alphabet)
            if self._kept is not None:
                self._kept.append(sequence)
            problem = checked.problem or self._misfit(checked.record.id, sequence)
            yield _check(checked.record.id, checked.record.description, sequence, problem)

    def _misfit(self, id: str, sequence: str) -> str | None:
        """Returns why a sequence that the model reads is not scored; None where it is."""
        return None


class VariantInputs(ScanInputs):
    """Variants given as whole sequences; one that does not fit the wild type says why.

    Args:
        path: The file.
        tokenizer: The model's.
        wild_type: What they are variants of.
        may_change_length: Whether insertions and deletions can be scored.
    """

    def __init__(
        self, path: AnyPath, tokenizer: Tokenizer, wild_type: WildType, *, may_change_length: bool
    ) -> None:
        super().__init__(path, tokenizer)
        self._wild_type = wild_type
        self._may_change_length = may_change_length

    def _misfit(self, id: str, sequence: str) -> str | None:
        wild_type = self._wild_type
        if len(sequence) != len(wild_type.sequence):
            if self._may_change_length:
                return None
            lengths = f"{len(sequence)} residues, {wild_type.id} has {len(wild_type.sequence)}"
            return f"{lengths}; marginals score substitutions, pseudo-perplexity also other lengths"
        try:
            for index, (before, after) in enumerate(zip(wild_type.sequence, sequence, strict=True)):
                if before != after:
                    wild_type.check_substitution(id, index, after)
        except VariantError as error:
            return error.problem
        return None


class VariantTable:
    """Variants that a column of a table names; one that does not fit the wild type says why.

    Args:
        path: The table: `.csv`, `.tsv`, `.parquet`.
        wild_type: What they are variants of.
        column: The column of substitutions such as `A23C:D45E`.

    Raises:
        FormatError: the file can't be read, or has no such column.
    """

    def __init__(self, path: AnyPath, wild_type: WildType, *, column: str) -> None:
        self._path = Path(path)
        self._wild_type = wild_type
        self._texts = _read_column(self._path, column)
        self._given = 0

    @property
    def fraction(self) -> float:
        """The part of the variants given so far."""
        return self._given / max(1, len(self._texts))

    def __iter__(self) -> Iterator[CheckedRecord]:
        while self._given < len(self._texts):
            self._given += 1
            yield _from_mutations(self._texts[self._given - 1], self._wild_type)

    def provenance(self) -> dict[str, object]:
        """See `RecordSource.provenance`."""
        molecule = self._wild_type.alphabet.molecule
        return {"inputs": [{"name": self._path.name, "format": "table"}], "molecule": molecule}


def open_variants(
    path: AnyPath,
    wild_type: WildType,
    tokenizer: Tokenizer,
    *,
    column: str,
    may_change_length: bool,
) -> VariantInputs | VariantTable:
    """Opens variants, each to be read as its whole sequence.

    Args:
        path: A table (`.csv`, `.tsv`, `.parquet`) with a column of substitutions such as
            `A23C:D45E`, or a file of variant sequences in any format.
        wild_type: What they are variants of.
        tokenizer: The model's.
        column: Column of the table that names the substitutions.
        may_change_length: Whether insertions and deletions can be scored.

    Raises:
        BioseqError: the file can't be read, or has no such column.
    """
    if is_table(path):
        return VariantTable(path, wild_type, column=column)
    return VariantInputs(path, tokenizer, wild_type, may_change_length=may_change_length)


def is_table(path: AnyPath) -> bool:
    """Tells by its name whether a file is a table."""
    suffixes = [suffix.lower() for suffix in Path(path).suffixes]
    if suffixes and suffixes[-1] in _COMPRESSED:
        suffixes.pop()
    return bool(suffixes) and suffixes[-1] in _TABLES


def _check(id: str, description: str, sequence: str, problem: str | None) -> CheckedRecord:
    record = Record(id, description, sequence)
    return CheckedRecord(record=record, digest=refget_digest(sequence), problem=problem)


def _from_mutations(text: str, wild_type: WildType) -> CheckedRecord:
    try:
        return _check(text, "", wild_type.mutate(text), None)
    except VariantError as error:
        return CheckedRecord(record=Record(text, "", ""), digest="", problem=error.problem)


def _read_column(path: Path, column: str) -> list[str]:
    try:
        if path.suffix.lower() == ".parquet":
            table = pl.read_parquet(path)
        else:
            separator = "," if ".csv" in [suffix.lower() for suffix in path.suffixes] else "\t"
            table = pl.read_csv(path, separator=separator, infer_schema=False)
    except pl.exceptions.NoDataError:
        raise FormatError("table", path=path, found="nothing", expected="a header line") from None
    except pl.exceptions.PolarsError as error:
        found = str(error).partition("\n")[0]
        raise FormatError("table", path=path, found=found) from None
    if column not in table.columns:
        found = f"columns {', '.join(table.columns)}"
        expected = f"a column {column!r}; name another with --column"
        raise FormatError("table", path=path, found=found, expected=expected)
    return [text or "" for text in table[column].cast(pl.String)]
