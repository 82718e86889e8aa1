"""The training sequences in memory, one byte a residue, and the order in which steps take them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Int64, UInt8

from bioseq.batch import plan_batches

_BATCHES_IN_POOL = 64


@dataclass(frozen=True, kw_only=True)
class Corpus:
    """Sequences end to end.

    Attributes:
        text: ASCII symbols, upper case.
        offsets: Where each sequence starts; the last entry is the total.
    """

    text: UInt8[np.ndarray, " residues"]
    offsets: Int64[np.ndarray, " bounds"]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @cached_property
    def lengths(self) -> Int64[np.ndarray, " sequences"]:
        """Residues in each sequence."""
        return np.diff(self.offsets)

    def sequence(self, index: int, *, start: int = 0, stop: int | None = None) -> str:
        """Returns a stretch of one sequence."""
        first, end = int(self.offsets[index]), int(self.offsets[index + 1])
        last = end if stop is None else min(end, first + stop)
        return self.text[first + start : last].tobytes().decode()

    def crops(
        self, indices: Int64[np.ndarray, " taken"], crop: int, rng: np.random.Generator
    ) -> list[str]:
        """Returns the chosen sequences, those above `crop` residues cut at random."""
        spare = np.maximum(self.lengths[indices] - crop, 0)
        starts = rng.integers(0, spare + 1)
        return [
            self.sequence(int(i), start=int(s), stop=int(s) + crop)
            for i, s in zip(indices, starts, strict=True)
        ]

    def steps(
        self, *, crop: int, tokens_per_batch: int, seed: int, start: int
    ) -> Iterator[list[str]]:
        """Yields the sequences of step `start` and all later ones, without end.

        Each epoch takes every sequence once, in batches of similar length in random order. A step's
        content depends on the seed and the step's number alone, so a resumed run sees what an
        uninterrupted one would.
        """
        first = 0
        for epoch in itertools.count():
            batches = self._epoch(crop, tokens_per_batch, np.random.default_rng([seed, epoch]))
            for step, indices in enumerate(batches, start=first):
                if step >= start:
                    yield self.crops(indices, crop, np.random.default_rng([seed, step, 1]))
            first += len(batches)

    def _epoch(
        self, crop: int, tokens_per_batch: int, rng: np.random.Generator
    ) -> list[Int64[np.ndarray, " batch"]]:
        order = rng.permutation(len(self))
        sizes = np.minimum(self.lengths, crop)[order] + 2
        pools = np.cumsum(sizes) // (tokens_per_batch * _BATCHES_IN_POOL)
        batches = [
            pool[batch]
            for pool in np.split(order, np.flatnonzero(np.diff(pools)) + 1)
            for batch in plan_batches(np.minimum(self.lengths[pool], crop) + 2, tokens_per_batch)
        ]
        return [batches[i] for i in rng.permutation(len(batches))]

    def unigram_perplexity(self, training: Corpus) -> float:
        """Gives the perplexity of these sequences under the symbol frequencies of the training set.

        Every symbol's count is raised by one, so that unseen symbols have a finite cost.
        """
        seen = np.bincount(self.text, minlength=256)
        counts = np.bincount(training.text, minlength=256) + 1
        known = counts[(seen > 0) | (counts > 1)].sum()
        return float(np.exp(-(seen * np.log(counts / known)).sum() / seen.sum()))


def build_corpus(sequences: Sequence[str]) -> Corpus:
    """Builds a corpus from sequences."""
    offsets = np.zeros(len(sequences) + 1, dtype=np.int64)
    np.cumsum([len(s) for s in sequences], out=offsets[1:])
    text = np.frombuffer("".join(sequences).upper().encode(), dtype=np.uint8)
    return Corpus(text=text, offsets=offsets)
