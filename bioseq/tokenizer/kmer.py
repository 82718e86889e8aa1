"""One token per k bases: overlapping as in DNABERT, or in blocks as in Nucleotide Transformer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np
from jaxtyping import Bool, Int64, Integer, UInt16

from bioseq.alphabet import ALPHABETS, Alphabet
from bioseq.errors import OptionError
from bioseq.tokenizer.symbols import (
    MAX_WINDOW,
    NUM_BASES,
    CodedText,
    code_symbols,
    look_up,
    place_blocks,
    read_words,
)
from bioseq.tokenizer.tokens import Tokens, frame_tokens
from bioseq.tokenizer.vocabulary import Vocabulary
from bioseq.typing import Molecule


@dataclass(frozen=True, kw_only=True)
class KmerTokenizer:
    """Gives k bases one token. The stride chooses one of two published rules.

    Stride 1 (DNABERT): a window starts at every base that has k - 1 more behind it. A window that
    holds anything but the four bases is the unknown token, so one N makes k of them. A sequence
    shorter than k, from which DNABERT makes no token at all, is one unknown token here.

    Stride k (Nucleotide Transformer v1 and v2): each run of the four bases is cut into blocks of k
    from its left end, and the rest of fewer than k into single bases. Any other symbol ends the
    run: it is its own token where the vocabulary has one (N); otherwise it and those like it right
    behind it are together one unknown token.

    In both, lower case reads as upper case, and T and U as the same base. The originals differ:
    they read lower case and U as unknown.

    Args:
        molecule: Whether the vocabulary spells k-mers with T (`"dna"`) or U (`"rna"`).
        vocabulary: The model's tokens; all 4**k k-mers are among them, and the single bases for
            stride k.
        k: Bases of a token, 2 to 7.
        stride: Bases from one token to the next, 1 or k.
        unknown: The token for what the vocabulary cannot express.
        prefix: Special tokens before each sequence.
        suffix: Special tokens behind each sequence.

    Raises:
        OptionError: k, the stride or the molecule is not possible, or a token is not in the
            vocabulary.

    Source: Ji et al. 2021 (DNABERT), section 2.2; Dalla-Torre et al. 2024 (Nucleotide Transformer),
        methods.
    """

    molecule: Molecule
    vocabulary: Vocabulary
    k: int
    stride: int
    unknown: str
    prefix: tuple[str, ...] = ()
    suffix: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.molecule not in ("dna", "rna"):
            raise OptionError("molecule", self.molecule, allowed=("dna", "rna"))
        if self.k not in range(2, MAX_WINDOW + 1):
            raise OptionError("k", self.k, allowed=f"2 to {MAX_WINDOW}")
        if self.stride not in (1, self.k):
            raise OptionError("stride", self.stride, allowed=(1, self.k))
        singles = self.alphabet.canonical if self.stride == self.k else ""
        self.vocabulary.ids((*_kmers(self.molecule, self.k), *singles))
        self.vocabulary.ids((self.unknown, *self.prefix, *self.suffix))

    @property
    def alphabet(self) -> Alphabet:
        """The symbols that sequences may hold."""
        return ALPHABETS[self.molecule]

    @cached_property
    def _id_of_word(self) -> Integer[np.ndarray, " words"]:
        ids = self.vocabulary.ids((*_kmers(self.molecule, self.k), self.unknown))
        return np.array(ids, dtype=self.vocabulary.dtype)

    @cached_property
    def _id_of_code(self) -> Integer[np.ndarray, " codes"]:
        symbols = self.alphabet.symbols
        tokens = [symbol if symbol in self.vocabulary else self.unknown for symbol in symbols]
        return np.array(self.vocabulary.ids(tokens), dtype=self.vocabulary.dtype)

    @cached_property
    def _is_nameless(self) -> Bool[np.ndarray, " codes"]:
        return np.array([symbol not in self.vocabulary for symbol in self.alphabet.symbols])

    def encode(self, sequences: Sequence[str]) -> Tokens:
        """Tokenizes sequences, in order.

        Raises:
            AlphabetError: a symbol is not in the alphabet.
        """
        text = code_symbols(sequences, self.alphabet)
        words = read_words(text.codes, self.k)
        if self.stride == 1:
            return self._encode_windows(text, words)
        return self._encode_blocks(text, words)

    def _encode_windows(self, text: CodedText, words: UInt16[np.ndarray, " symbols"]) -> Tokens:
        counts = np.maximum(text.lengths - self.k + 1, np.minimum(text.lengths, 1))
        runs = np.stack([counts, text.lengths + 1 - counts], axis=1).ravel()
        is_token = np.repeat(np.tile([True, False], len(counts)), runs)
        return frame_tokens(look_up(words[is_token], self._id_of_word), counts, self)

    def _encode_blocks(self, text: CodedText, words: UInt16[np.ndarray, " symbols"]) -> Tokens:
        positions, counts = place_blocks(text, self.k, self._is_nameless)
        words = words[positions]
        ids = look_up(words, self._id_of_word)
        is_single = words == NUM_BASES**self.k
        ids[is_single] = self._id_of_code[text.codes[positions[is_single]]]
        return frame_tokens(ids, counts, self)

    def spans(self, sequence: str) -> Int64[np.ndarray, "tokens 2"]:
        """Returns start and end of each token in the sequence.

        Raises:
            AlphabetError: a symbol is not in the alphabet.
        """
        text = code_symbols([sequence], self.alphabet)
        if self.stride == 1:
            starts = np.arange(max(len(sequence) - self.k, 0) + 1)[: len(sequence)]
            return np.stack([starts, np.minimum(starts + self.k, len(sequence))], axis=1)
        starts, _ = place_blocks(text, self.k, self._is_nameless)
        ends = np.concatenate([starts, [len(sequence)]])[1:]
        return np.stack([starts, ends], axis=1)

    def to_config(self) -> dict[str, Any]:
        """Returns plain data from which `build_tokenizer` makes the same tokenizer."""
        return {
            "kind": "kmer",
            "molecule": self.molecule,
            "tokens": list(self.vocabulary.tokens),
            "k": self.k,
            "stride": self.stride,
            "unknown": self.unknown,
            "prefix": list(self.prefix),
            "suffix": list(self.suffix),
        }


def _kmers(molecule: Molecule, k: int) -> tuple[str, ...]:
    return tuple(map("".join, product(ALPHABETS[molecule].canonical, repeat=k)))


def build_kmer_tokenizer(molecule: Molecule, *, k: int, stride: int) -> KmerTokenizer:
    """Builds the k-mer tokenizer of bioseq's own models."""
    specials = ("<pad>", "<cls>", "<eos>", "<mask>", "<unk>")
    singles = (*ALPHABETS[molecule].canonical, "N")
    return KmerTokenizer(
        molecule=molecule,
        vocabulary=Vocabulary((*specials, *singles, *_kmers(molecule, k))),
        k=k,
        stride=stride,
        unknown="<unk>",
        prefix=("<cls>",),
        suffix=("<eos>",),
    )
