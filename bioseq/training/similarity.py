"""Which sequences resemble each other: shared seeds propose pairs, a local alignment confirms them.

Source: Steinegger & Soeding 2018 (ungapped alignment on the diagonal of a shared k-mer); Karlin &
Altschul 1990 (log-odds scores and the search space).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int32, Int64

from bioseq.training.seeds import Places, Strands, seed_pairs
from bioseq.typing import Molecule

Indices = Int32[np.ndarray, " pairs"]
Found = tuple[Int32[np.ndarray, " found"], Int32[np.ndarray, " found"]]
Filter = Callable[[Indices, Indices], Bool[np.ndarray, " pairs"]]

_PAIRS_AT_A_TIME = 2**18
_ALIGNMENTS_AT_A_TIME = 2**11
_WINDOW = 48
_REACH = 256
_UNIT = 100
_OUTSIDE = -100_000
_PSEUDO_COUNT = 1_000
_CHANCE_PAIRS = 0.1


@dataclass(frozen=True, kw_only=True)
class Search:
    """How the sequences of one kind of molecule are searched.

    Attributes:
        seeds: Spaced seeds: `1` where symbols have to be equal, `0` where they may differ.
        identity: Share of equal symbols among the homologs that the score is made to find.
        matches: Equal symbols in the window round a seed from which a pair is aligned.
    """

    seeds: tuple[str, ...]
    identity: float
    matches: int


_NUCLEOTIDES = Search(
    seeds=("1110110101011011011", "110100110010101111011"), identity=0.7, matches=29
)
SEARCHES: Mapping[Molecule, Search] = {
    "protein": Search(seeds=("1110111", "11010010011", "10110100011"), identity=0.35, matches=13),
    "dna": _NUCLEOTIDES,
    "rna": _NUCLEOTIDES,
}


def similar_pairs(sequences: Sequence[str], molecule: Molecule, wanted: Filter) -> Iterator[Found]:
    """Finds pairs of sequences with a local similarity beyond chance.

    A pair counts when an ungapped stretch on the diagonal of a shared seed scores so high that the
    whole search would meet 0.1 such stretches by chance. The score is the log-odds of the stretch
    between homologs of a given identity and unrelated sequences of the same composition.

    Args:
        sequences: Upper case.
        molecule: Their kind; DNA is compared on both strands.
        wanted: Tells of proposed pairs which are still of interest; asked again before every batch
            of alignments, so it may depend on the pairs given so far.

    Yields:
        Indices of the left and the right sequences of confirmed pairs; a pair may come twice.
    """
    search = SEARCHES[molecule]
    strands = Strands(sequences, molecule)
    aligner = _Aligner(strands, search)
    for seed in search.seeds:
        for left, right in seed_pairs(strands, seed):
            for start in range(0, len(left), _PAIRS_AT_A_TIME):
                chunk = slice(start, start + _PAIRS_AT_A_TIME)
                yield aligner.confirm(left[chunk], right[chunk], wanted)


class _Aligner:
    def __init__(self, strands: Strands, search: Search) -> None:
        self.strands = strands
        self.search = search
        self.windows = np.lib.stride_tricks.sliding_window_view(strands.codes, _WINDOW)
        counts = np.bincount(strands.codes, minlength=strands.num_symbols + 1)
        counts = counts[: strands.num_symbols] + _PSEUDO_COUNT
        share = counts / counts.sum()
        unequal = (1 - search.identity) / (1 - (share**2).sum())
        self.mismatch = round(_UNIT * math.log(unequal))
        equal = np.append(_UNIT * np.log(search.identity / share), self.mismatch)
        self.match = equal.astype(np.int32)
        residues = max(1, int(counts.sum()))
        self.threshold = _UNIT * (2 * math.log(residues) - math.log(2 * _CHANCE_PAIRS))

    def confirm(self, left: Places, right: Places, wanted: Filter) -> Found:
        """Returns the sequences of the pairs that pass the window, the filter and the alignment."""
        owners = self.strands.owner(left), self.strands.owner(right)
        kept = np.flatnonzero(wanted(*owners))
        kept = kept[self._match_window(left[kept], right[kept])]
        parts = range(0, len(kept), _ALIGNMENTS_AT_A_TIME)
        good = [
            part[self._align(left[part], right[part])]
            for part in (kept[start : start + _ALIGNMENTS_AT_A_TIME] for start in parts)
        ]
        found = np.concatenate([kept[:0], *good])
        return owners[0][found], owners[1][found]

    def _match_window(self, left: Places, right: Places) -> Bool[np.ndarray, " pairs"]:
        ahead = (_WINDOW - 8) // 2
        a, b = self.windows[left - ahead], self.windows[right - ahead]
        equal = (a == b) & (a < self.strands.num_symbols)
        return equal.sum(axis=1, dtype=np.uint8) >= self.search.matches

    def _align(self, left: Places, right: Places) -> Bool[np.ndarray, " pairs"]:
        """Tells the pairs whose best ungapped stretch near the seed reaches the threshold."""
        offsets = np.arange(-_REACH, _REACH)
        inside = self._room(left, right, offsets)
        a = self.strands.codes.take(left[:, None] + offsets, mode="clip")
        b = self.strands.codes.take(right[:, None] + offsets, mode="clip")
        scores = np.where(a == b, self.match[a], self.mismatch)
        scores = np.where(inside, scores, _OUTSIDE)
        total = np.pad(np.cumsum(scores, axis=1, dtype=np.int32), ((0, 0), (1, 0)))
        best = (total - np.minimum.accumulate(total, axis=1)).max(axis=1)
        return best >= self.threshold

    def _room(
        self, left: Places, right: Places, offsets: Int64[np.ndarray, " offsets"]
    ) -> Bool[np.ndarray, "pairs offsets"]:
        """Returns which offsets from the seeds lie in both strands."""
        bounds = self.strands.bounds
        before, behind = [], []
        for places in (left, right):
            strand = self.strands.strand(places)
            before.append(bounds[strand] - places)
            behind.append(bounds[strand + 1] - 1 - places)
        first, last = np.maximum(*before)[:, None], np.minimum(*behind)[:, None]
        return (offsets >= first) & (offsets < last)
