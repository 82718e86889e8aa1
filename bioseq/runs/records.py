"""Whether a record can be computed."""

from __future__ import annotations

from dataclasses import dataclass

from bioseq.errors import AlphabetError
from bioseq.records import Record
from bioseq.tokenizer import Tokenizer
from bioseq.typing import Molecule


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


class RecordChecker:
    """Finds what a model can't read.

    Args:
        tokenizer: The model's.
        trusting: Whether to ignore what a record says that its molecule is.
    """

    def __init__(self, tokenizer: Tokenizer, *, trusting: bool) -> None:
        self._alphabet = tokenizer.alphabet
        self._trusting = trusting
        self._tokenless = _symbols_without_token(tokenizer)

    def find_problem(self, record: Record) -> str | None:
        """Says in one line why a record can't be computed; None where it can."""
        if not record.sequence:
            return "empty sequence"
        reads = self._alphabet.molecule
        if not self._trusting and record.molecule and not fits(record.molecule, reads):
            return f"{record.molecule}, but the model reads {reads}"
        try:
            self._alphabet.check(record.sequence)
            self._check_tokens(record.sequence)
        except AlphabetError as error:
            return str(error)
        return None

    def _check_tokens(self, sequence: str) -> None:
        places = [place for place in map(sequence.find, self._tokenless) if place >= 0]
        if places:
            first = min(places)
            raise AlphabetError(sequence[first], position=first + 1, alphabet="model's")


def fits(molecule: Molecule, reads: Molecule) -> bool:
    """Returns whether a model of one molecule reads another; DNA and RNA are alike."""
    return (molecule == "protein") == (reads == "protein")


def _symbols_without_token(tokenizer: Tokenizer) -> str:
    """Returns the symbols that are in the alphabet but unknown to the model, in either case."""
    symbols = tokenizer.alphabet.symbols + "".join(tokenizer.alphabet.aliases)
    return "".join(s + s.lower() for s in symbols if not _has_token(tokenizer, s))


def _has_token(tokenizer: Tokenizer, symbol: str) -> bool:
    try:
        tokenizer.encode([symbol])
    except AlphabetError:
        return False
    return True
