"""The corpus and the order of its steps."""

from __future__ import annotations

import itertools
import math
from collections import Counter

import numpy as np
import pytest

from bioseq.training.corpus import build_corpus

SEQUENCES = [letter * length for letter, length in zip("ACDEFGHIKL", range(3, 43, 4), strict=True)]


def _steps(start: int, count: int, *, seed: int = 0, crop: int = 20) -> list[list[str]]:
    corpus = build_corpus(SEQUENCES)
    steps = corpus.steps(crop=crop, tokens_per_batch=60, seed=seed, start=start)
    return list(itertools.islice(steps, count))


def test_a_corpus_gives_its_sequences_back_in_upper_case() -> None:
    corpus = build_corpus(["MKv", "a", "WWWW"])
    assert [corpus.sequence(i) for i in range(len(corpus))] == ["MKV", "A", "WWWW"]
    assert corpus.sequence(0, start=1, stop=2) == "K"
    assert corpus.sequence(0, start=1, stop=99) == "KV"


def test_an_epoch_takes_every_sequence_once_within_the_budget() -> None:
    taken = list(itertools.chain(*_steps(0, 200)))
    per_epoch = [taken[i : i + 10] for i in range(0, 100, 10)]
    for epoch in per_epoch:
        assert sorted(text[0] for text in epoch) == sorted("ACDEFGHIKL")
    assert len({tuple(text[0] for text in epoch) for epoch in per_epoch}) > 5
    assert all(sum(len(text) + 2 for text in step) <= 60 for step in _steps(0, 50))


def test_a_later_start_continues_the_same_steps() -> None:
    whole = _steps(0, 40)
    for start in (1, 7, 25):
        assert _steps(start, 10) == whole[start : start + 10]
    assert _steps(0, 40, seed=1) != whole


def test_crops_fit_and_start_anywhere() -> None:
    corpus = build_corpus(["".join(map(chr, range(65, 91)))])
    rng = np.random.default_rng(0)
    starts = Counter(corpus.crops(np.array([0]), 24, rng)[0][0] for _ in range(300))
    assert set(starts) == set("ABC")
    assert min(starts.values()) > 60


def test_unigram_perplexity_is_that_of_the_raised_frequencies() -> None:
    train, test = build_corpus(["AAAC"]), build_corpus(["AG*"])
    counts = {"A": 4, "C": 2, "G": 1, "*": 1}
    cost = -sum(math.log(counts[symbol] / 8) for symbol in "AG*") / 3
    assert test.unigram_perplexity(train) == pytest.approx(math.exp(cost))
