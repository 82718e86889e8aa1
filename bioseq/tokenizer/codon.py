"""One token per codon, in frame from the first base."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np
from jaxtyping import Int64, Integer

from bioseq.alphabet import ALPHABETS, Alphabet
from bioseq.errors import OptionError
from bioseq.tokenizer.symbols import code_symbols, look_up, place_windows, read_words
from bioseq.tokenizer.tokens import Tokens, frame_tokens
from bioseq.tokenizer.vocabulary import Vocabulary
from bioseq.typing import Molecule

_CODON = 3


@dataclass(frozen=True, kw_only=True)
class CodonTokenizer:
    """Gives each codon its own token; the frame starts at the first base of each sequence.

    Stop codons are tokens like the others. A codon that holds anything but the four bases is the
    unknown token, and so are the one or two bases behind the last whole codon. Lower case reads as
    upper case, and T and U as the same base.

    Args:
        molecule: Whether the vocabulary spells codons with T (`"dna"`) or U (`"rna"`).
        vocabulary: The model's tokens; all 64 codons are among them.
        unknown: The token for codons that the vocabulary cannot express.
        prefix: Special tokens before each sequence.
        suffix: Special tokens behind each sequence.

    Raises:
        OptionError: the molecule is protein, or a codon or special is not in the vocabulary.
    """

    molecule: Molecule
    vocabulary: Vocabulary
    unknown: str
    prefix: tuple[str, ...] = ()
    suffix: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.molecule not in ("dna", "rna"):
            raise OptionError("molecule", self.molecule, allowed=("dna", "rna"))
        self.vocabulary.ids((*_codons(self.molecule), self.unknown, *self.prefix, *self.suffix))

    @property
    def alphabet(self) -> Alphabet:
        """The symbols that sequences may hold."""
        return ALPHABETS[self.molecule]

    @cached_property
    def _id_of_word(self) -> Integer[np.ndarray, " words"]:
        ids = self.vocabulary.ids((*_codons(self.molecule), self.unknown))
        return np.array(ids, dtype=self.vocabulary.dtype)

    def encode(self, sequences: Sequence[str]) -> Tokens:
        """Tokenizes sequences, in order.

        Raises:
            AlphabetError: a symbol is not in the alphabet.
        """
        text = code_symbols(sequences, self.alphabet)
        counts = -(-text.lengths // _CODON)
        positions = place_windows(text, counts, _CODON)
        words = read_words(text.codes, _CODON)[positions]
        return frame_tokens(look_up(words, self._id_of_word), counts, self)

    def spans(self, sequence: str) -> Int64[np.ndarray, "tokens 2"]:
        """Returns start and end of each codon; the last one ends with the sequence."""
        starts = np.arange(0, len(sequence), _CODON, dtype=np.int64)
        return np.stack([starts, np.minimum(starts + _CODON, len(sequence))], axis=1)

    def to_config(self) -> dict[str, Any]:
        """Returns plain data from which `build_tokenizer` makes the same tokenizer."""
        return {
            "kind": "codon",
            "molecule": self.molecule,
            "tokens": list(self.vocabulary.tokens),
            "unknown": self.unknown,
            "prefix": list(self.prefix),
            "suffix": list(self.suffix),
        }


def _codons(molecule: Molecule) -> tuple[str, ...]:
    return tuple(map("".join, product(ALPHABETS[molecule].canonical, repeat=_CODON)))


def build_codon_tokenizer(molecule: Molecule) -> CodonTokenizer:
    """Builds the codon tokenizer of bioseq's own models; the unknown codon is `NNN`."""
    specials = ("<pad>", "<cls>", "<eos>", "<mask>", "NNN")
    return CodonTokenizer(
        molecule=molecule,
        vocabulary=Vocabulary((*specials, *_codons(molecule))),
        unknown="NNN",
        prefix=("<cls>",),
        suffix=("<eos>",),
    )
