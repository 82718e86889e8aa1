"""Shared seeds: which places of which sequences may be homologous, found by sorting k-mers.

Source: Steinegger & Soeding 2018 (Linclust: sorted k-mers propose a linear number of pairs); Ma et
al. 2002 (spaced seeds); Wootton & Federhen 1993 (low complexity). Unlike in Linclust every k-mer is
a seed, not a sample of each sequence.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Bool, Int32, Int64, Shaped, UInt8, UInt64

from bioseq.alphabet import ALPHABETS
from bioseq.typing import Molecule

MARGIN = 64

_NEIGHBOURS = 4
_SEEDS_IN_MEMORY = 2**24
_PLACES_AT_A_TIME = 2**22
_PLACE_BITS = 32
_COMPLEXITY_WINDOW = 12
_COMPLEXITY = {4: 1.1, 20: 2.2}

Places = Int64[np.ndarray, " pairs"]


class Strands:
    """Sequences end to end as small integers, DNA in both directions, separators between them.

    Args:
        sequences: Symbols of the alphabet; upper case.
        molecule: Kind of molecule.

    Attributes:
        codes: Each canonical symbol's number; `num_symbols` for whatever takes no part.
        num_symbols: Canonical symbols of the alphabet.
        num_sequences: Sequences, each strand of DNA not counted by itself.
        bounds: The first place of each strand, and the place behind the last one's separator.
    """

    def __init__(self, sequences: Sequence[str], molecule: Molecule) -> None:
        alphabet = ALPHABETS[molecule]
        texts = list(sequences)
        if molecule == "dna":
            texts += [alphabet.reverse_complement(text) for text in sequences]
        margin = "-" * MARGIN
        joined = f"{margin}{'-'.join(texts)}-{margin}"
        self.num_symbols = len(alphabet.canonical)
        self.num_sequences = len(sequences)
        symbols = np.frombuffer(joined.encode("ascii", "replace"), dtype=np.uint8)
        self.codes: UInt8[np.ndarray, " places"] = _codes(molecule)[symbols]
        for block in _blocks(len(self.codes)):
            simple = _low_complexity(self.codes[block], self.num_symbols)
            self.codes[block][simple] = self.num_symbols
        sizes = np.array([len(text) + 1 for text in texts], dtype=np.int64)
        self.bounds: Int64[np.ndarray, " bounds"] = MARGIN + np.append(0, np.cumsum(sizes))
        self._strand = np.repeat(np.arange(len(texts), dtype=np.int32), sizes)

    def strand(self, places: Places) -> Int32[np.ndarray, " pairs"]:
        """Returns the strand at each place."""
        return self._strand[places - MARGIN]

    def owner(self, places: Places) -> Int32[np.ndarray, " pairs"]:
        """Returns the sequence at each place."""
        return self.strand(places) % np.int32(self.num_sequences)


def seed_pairs(strands: Strands, seed: str) -> Iterator[tuple[Places, Places]]:
    """Proposes pairs of places of different sequences that share a seed.

    Of all places with one k-mer, each is paired with the first and with its next neighbours, one
    place for each sequence: all pairs where few sequences share it, a linear number where many do.

    Args:
        strands: The sequences.
        seed: `1` where the symbols have to be equal, `0` where they may differ.
    """
    parts = -(-len(strands.codes) // _SEEDS_IN_MEMORY)
    for part in range(parts):
        entries = _sorted_seeds(strands, seed, part=part, parts=parts)
        places = (entries & np.uint64(2**_PLACE_BITS - 1)).astype(np.int64)
        entries >>= np.uint64(_PLACE_BITS)
        yield from _link(entries, places, strands)


def _sorted_seeds(
    strands: Strands, seed: str, *, part: int, parts: int
) -> UInt64[np.ndarray, " seeds"]:
    """Returns k-mer and place in one integer, sorted, for one part of the k-mers."""
    taken = [i for i, mark in enumerate(seed) if mark == "1"]
    bits = np.uint64(strands.num_symbols.bit_length())
    chunks = []
    for block in _blocks(len(strands.codes) - MARGIN):
        kmers = np.zeros(block.stop - block.start, dtype=np.uint64)
        valid = np.ones(len(kmers), dtype=bool)
        for offset in taken:
            codes = strands.codes[block.start + offset : block.stop + offset]
            kmers = (kmers << bits) | codes
            valid &= codes < strands.num_symbols
        if parts > 1:
            valid &= kmers % np.uint64(parts) == part
        found = np.flatnonzero(valid)
        chunks.append(
            (kmers[found] << np.uint64(_PLACE_BITS)) | (found + block.start).astype(np.uint64)
        )
    entries = np.concatenate(chunks)
    entries.sort()
    return entries


def _link(
    kmers: UInt64[np.ndarray, " seeds"], places: Int64[np.ndarray, " seeds"], strands: Strands
) -> Iterator[tuple[Places, Places]]:
    kept = _shared(kmers, strands.owner(places))
    kmers, places = kmers[kept], places[kept]
    starts = np.flatnonzero(np.append(True, kmers[1:] != kmers[:-1])[: len(kmers)])
    sizes = np.diff(np.append(starts, len(kmers)))
    rank = np.arange(len(kmers)) - np.repeat(starts, sizes)
    for shift in range(1, _NEIGHBOURS + 1):
        right = np.flatnonzero(rank >= shift)
        yield places[right - shift], places[right]
    right = np.flatnonzero(rank > _NEIGHBOURS)
    yield places[right - rank[right]], places[right]


def _shared(
    kmers: UInt64[np.ndarray, " seeds"], owner: Int32[np.ndarray, " seeds"]
) -> Bool[np.ndarray, " seeds"]:
    """Tells the entries whose k-mer more than one sequence has, one for each sequence."""
    if not len(kmers):
        return np.zeros(0, dtype=bool)
    same = kmers[1:] == kmers[:-1]
    first = np.append(True, ~same | (owner[1:] != owner[:-1]))
    alone_before, alone_behind = np.append(True, ~same), np.append(~same, True)
    return first & ~(alone_before & alone_behind)


def _codes(molecule: Molecule) -> Shaped[np.ndarray, " 256"]:
    alphabet = ALPHABETS[molecule]
    table = np.full(256, len(alphabet.canonical), dtype=np.uint8)
    for number, symbol in enumerate(alphabet.canonical):
        table[ord(symbol)] = number
    for alias, symbol in alphabet.aliases.items():
        table[ord(alias)] = table[ord(symbol)]
    return table


def _blocks(total: int) -> list[slice]:
    """Cuts so many places into stretches whose temporary arrays stay small."""
    starts = range(0, total, _PLACES_AT_A_TIME)
    return [slice(start, min(start + _PLACES_AT_A_TIME, total)) for start in starts]


def _low_complexity(
    codes: UInt8[np.ndarray, " places"], num_symbols: int
) -> Bool[np.ndarray, " places"]:
    """Tells the places in windows of low entropy, whose matches say nothing of common descent."""
    size = _COMPLEXITY_WINDOW
    counts = np.arange(size + 1)
    cost = (counts / size * np.log2(np.maximum(counts, 1) / size)).astype(np.float32)
    entropy = np.zeros(max(0, len(codes) - size + 1), dtype=np.float32)
    for symbol in range(num_symbols + 1):
        seen = np.append(np.uint32(0), np.cumsum(codes == symbol, dtype=np.uint32))
        entropy -= cost[seen[size:] - seen[:-size]]
    low = np.append(0, np.cumsum(entropy < _COMPLEXITY[num_symbols], dtype=np.int32))
    # A place is simple when any of the windows that hold it is.
    edges = np.arange(len(codes))
    last, first = np.minimum(edges + 1, len(low) - 1), np.clip(edges - size + 1, 0, len(low) - 1)
    return low[last] > low[first]
