"""One token per residue or base."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Int64

from bioseq.alphabet import ALPHABETS, Alphabet
from bioseq.errors import AlphabetError, OptionError
from bioseq.tokenizer.symbols import count_symbols
from bioseq.tokenizer.tokens import Tokens
from bioseq.tokenizer.vocabulary import Vocabulary
from bioseq.typing import Molecule

_NO_TOKEN = 255


@dataclass(frozen=True, kw_only=True)
class ResidueTokenizer:
    """Gives each symbol its own token.

    Args:
        molecule: Which alphabet the sequences are written in.
        vocabulary: The model's tokens; at most 255.
        prefix: Special tokens before each sequence.
        suffix: Special tokens behind each sequence.
        substitutions: Symbols that the model reads as another symbol or token (`{"U": "X"}`).
        unknown: The token for symbols of the alphabet that the vocabulary lacks; None makes such a
            symbol an error.

    Raises:
        OptionError: a special or substituted token is not in the vocabulary, a substituted symbol
            not in the alphabet, or the vocabulary is too large.
    """

    molecule: Molecule
    vocabulary: Vocabulary
    prefix: tuple[str, ...] = ()
    suffix: tuple[str, ...] = ()
    substitutions: Mapping[str, str] = field(default_factory=dict)
    unknown: str | None = None

    def __post_init__(self) -> None:
        if self.molecule not in ALPHABETS:
            raise OptionError("molecule", self.molecule, allowed=ALPHABETS)
        if len(self.vocabulary) > _NO_TOKEN:
            raise OptionError("vocabulary size", len(self.vocabulary), allowed=f"up to {_NO_TOKEN}")
        self.vocabulary.ids((*self.prefix, *self.suffix, *self.substitutions.values()))
        if self.unknown is not None:
            self.vocabulary.id(self.unknown)
        for symbol in self.substitutions:
            if symbol not in self._readable:
                raise OptionError("substituted symbol", symbol, allowed=self._readable)

    @property
    def _readable(self) -> str:
        return self.alphabet.symbols + "".join(self.alphabet.aliases)

    @property
    def alphabet(self) -> Alphabet:
        """The symbols that sequences may hold."""
        return ALPHABETS[self.molecule]

    @cached_property
    def _id_of_byte(self) -> bytes:
        """Ids by character code; the codes from 0 stand for the specials, which no text holds."""
        table = bytearray([_NO_TOKEN]) * 256
        for symbol in self._readable:
            token = self.substitutions.get(symbol, self.alphabet.aliases.get(symbol, symbol))
            token = token if token in self.vocabulary else self.unknown
            if token is not None:
                table[ord(symbol)] = table[ord(symbol.lower())] = self.vocabulary.id(token)
        for code, token in enumerate((*self.prefix, *self.suffix)):
            table[code] = self.vocabulary.id(token)
        return bytes(table)

    def encode(self, sequences: Sequence[str]) -> Tokens:
        """Tokenizes sequences, in order.

        Raises:
            AlphabetError: a symbol has no token.
        """
        marks = "".join(map(chr, range(len(self.prefix) + len(self.suffix))))
        before, behind = marks[: len(self.prefix)], marks[len(self.prefix) :]
        text = before + (behind + before).join(sequences) + behind if sequences else ""
        codes = bytearray(text.encode("ascii", "replace"))
        ids = codes.translate(self._id_of_byte)
        smuggled = any(codes.count(ord(mark)) != len(sequences) for mark in marks)
        if smuggled or _NO_TOKEN in ids:
            self._raise_unknown(sequences)
        offsets = np.zeros(len(sequences) + 1, dtype=np.int64)
        np.cumsum(count_symbols(sequences) + len(marks), out=offsets[1:])
        unknown = 0 if self.unknown is None else ids.count(self.vocabulary.id(self.unknown))
        return Tokens(ids=np.frombuffer(ids, np.uint8), offsets=offsets, unknown=unknown)

    def _raise_unknown(self, sequences: Sequence[str]) -> None:
        for sequence in sequences:
            self.alphabet.check(sequence)
            for position, symbol in enumerate(sequence):
                if self._id_of_byte[ord(symbol)] == _NO_TOKEN:
                    raise AlphabetError(symbol, position=position + 1, alphabet="model's")

    def spans(self, sequence: str) -> Int64[np.ndarray, "tokens 2"]:
        """Returns start and end of each token in the sequence: residue i is token i."""
        start = np.arange(len(sequence), dtype=np.int64)
        return np.stack([start, start + 1], axis=1)

    def to_config(self) -> dict[str, Any]:
        """Returns plain data from which `build_tokenizer` makes the same tokenizer."""
        return {
            "kind": "residue",
            "molecule": self.molecule,
            "tokens": list(self.vocabulary.tokens),
            "prefix": list(self.prefix),
            "suffix": list(self.suffix),
            "substitutions": dict(self.substitutions),
            "unknown": self.unknown,
        }


def build_residue_tokenizer(molecule: Molecule) -> ResidueTokenizer:
    """Builds the tokenizer of bioseq's own models: every symbol of the alphabet has a token."""
    specials = ("<pad>", "<cls>", "<eos>", "<mask>")
    return ResidueTokenizer(
        molecule=molecule,
        vocabulary=Vocabulary((*specials, *ALPHABETS[molecule].symbols)),
        prefix=("<cls>",),
        suffix=("<eos>",),
    )
