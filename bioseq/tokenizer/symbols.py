"""Sequences as one array of codes, and the windows that k-mers and codons read from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Bool, Int64, Integer, UInt8, UInt16

from bioseq.alphabet import ALPHABETS, Alphabet
from bioseq.typing import Molecule

NUM_BASES = 4
MAX_WINDOW = 7
"""The longest window: 4**7 words and the word for "not only bases" fit in 16 bits."""

_CHUNK = 1 << 16  # symbols at a time, so that the work stays in the processor's cache
_END = 254
_OUTSIDE = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class CodedText:
    """Nucleotide sequences end to end, each with an end mark behind it.

    Attributes:
        codes: Each symbol's place in the alphabet's `symbols`; 0 to 3 are the bases.
        starts: Where each sequence starts in `codes`.
        lengths: Symbols of each sequence, without the end mark.
    """

    codes: UInt8[np.ndarray, " symbols"]
    starts: Int64[np.ndarray, " sequences"]
    lengths: Int64[np.ndarray, " sequences"]


@lru_cache
def _code_table(molecule: Molecule) -> bytes:
    alphabet = ALPHABETS[molecule]
    table = bytearray([_OUTSIDE]) * 256
    for symbol in alphabet.symbols + "".join(alphabet.aliases):
        code = alphabet.symbols.index(alphabet.aliases.get(symbol, symbol))
        table[ord(symbol)] = table[ord(symbol.lower())] = code
    table[ord("\n")] = _END
    return bytes(table)


def code_symbols(sequences: Sequence[str], alphabet: Alphabet) -> CodedText:
    """Reads sequences into codes; lower case and aliases read as the symbol they stand for.

    Raises:
        AlphabetError: a symbol is not in the alphabet.
    """
    text = "\n".join([*sequences, ""]).encode("ascii", "replace")
    coded = text.translate(_code_table(alphabet.molecule))
    if _OUTSIDE in coded or text.count(b"\n") != len(sequences):
        for sequence in sequences:
            alphabet.check(sequence)
    lengths = count_symbols(sequences)
    starts = np.cumsum(lengths + 1) - lengths - 1
    return CodedText(codes=np.frombuffer(coded, np.uint8), starts=starts, lengths=lengths)


def count_symbols(sequences: Sequence[str]) -> Int64[np.ndarray, " sequences"]:
    """Returns the length of each sequence."""
    return np.fromiter(map(len, sequences), dtype=np.int64, count=len(sequences))


def read_words(codes: UInt8[np.ndarray, " symbols"], k: int) -> UInt16[np.ndarray, " symbols"]:
    """Reads the k symbols from each position on as a number in base 4, first symbol highest.

    A window that holds anything but bases, or reaches over the end of its sequence, is 4**k.
    """
    padded = np.concatenate([codes, np.full(k - 1, _END, dtype=np.uint8)])
    words = np.empty(len(codes), dtype=np.uint16)
    for first in range(0, len(codes), _CHUNK):
        chunk = words[first : first + _CHUNK]
        _read_chunk(padded[first : first + len(chunk) + k - 1], k, out=chunk)
    return words


def _read_chunk(
    codes: UInt8[np.ndarray, " codes"], k: int, *, out: UInt16[np.ndarray, " words"]
) -> None:
    digits = codes.astype(np.uint16)
    is_base = codes < NUM_BASES
    is_word = np.ones(len(out), dtype=bool)
    out[:] = 0
    for shift in range(k):
        out <<= 2
        out |= digits[shift : shift + len(out)]
        is_word &= is_base[shift : shift + len(out)]
    np.copyto(out, NUM_BASES**k, where=~is_word)


def look_up(
    words: UInt16[np.ndarray, " words"], id_of_word: Integer[np.ndarray, " vocabulary"]
) -> Integer[np.ndarray, " words"]:
    """Returns the id of each word."""
    ids = np.empty(len(words), dtype=id_of_word.dtype)
    for first in range(0, len(words), _CHUNK):
        place = slice(first, first + _CHUNK)
        # Clipping changes nothing, but lets numpy write to `out` without a buffer.
        np.take(id_of_word, words[place], out=ids[place], mode="clip")
    return ids


def place_windows(
    text: CodedText, counts: Int64[np.ndarray, " sequences"], step: int
) -> Int64[np.ndarray, " windows"]:
    """Returns the positions of windows that start at every `step`-th symbol of each sequence.

    Args:
        text: The sequences.
        counts: Windows of each sequence.
        step: Symbols from one window to the next.
    """
    before = np.cumsum(counts) - counts
    return np.repeat(text.starts - step * before, counts) + step * np.arange(counts.sum())


def place_blocks(
    text: CodedText, k: int, merged: Bool[np.ndarray, " codes"]
) -> tuple[Int64[np.ndarray, " blocks"], Int64[np.ndarray, " sequences"]]:
    """Cuts each run of bases into blocks of k and its rest, like every other symbol, into ones.

    Args:
        text: The sequences.
        k: Bases of a block.
        merged: For each code, whether symbols of this kind side by side are one block.

    Returns:
        The position of each block in the text, and the number of blocks of each sequence.
    """
    others = np.flatnonzero(text.codes >= NUM_BASES)
    runs = np.diff(others, prepend=-1) - 1
    sizes = np.stack([runs // k, runs % k + 1], axis=1)
    ends = np.cumsum(np.repeat(np.tile([k, 1], len(runs)), sizes.ravel()))
    positions = np.concatenate([np.zeros(1, dtype=np.int64), ends])[:-1]
    is_end = text.codes[others] == _END
    is_left_out = is_end | _continues(text.codes[others], runs, merged)
    is_block = np.ones(len(positions), dtype=bool)
    is_block[np.cumsum(sizes.sum(axis=1))[is_left_out] - 1] = False
    before = np.cumsum(sizes.sum(axis=1) - is_left_out)[is_end]
    return positions[is_block], np.diff(before, prepend=0)


def _continues(
    codes: UInt8[np.ndarray, " others"],
    runs: Int64[np.ndarray, " others"],
    merged: Bool[np.ndarray, " codes"],
) -> Bool[np.ndarray, " others"]:
    """Tells which symbols stand, with no base between, behind one that they are one block with."""
    is_merged = np.append(merged, [False] * (_OUTSIDE + 1 - len(merged)))[codes]
    return is_merged & np.concatenate([[False], is_merged])[:-1] & (runs == 0)
