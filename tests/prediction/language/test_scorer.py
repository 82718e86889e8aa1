"""What a language model says of tokens, against the plainest way to ask it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from torch import Tensor

from bioseq.batch import PackedBatch, layout_of
from bioseq.errors import OptionError
from bioseq.heads import LinearHead
from bioseq.prediction.language.scorer import Scorer

SEQUENCES = ["MKTAYIAKQRQISFVKSH", "M", "ACDEFGHIKLMNPQRSTVWYXB", "MKTAYIAKQRQISFVKSH"]
LONG = "MKTAYIAKQRQISFVKSHFSRQLEERLGLIEVQAPILSRVGDGTQDNLSGAEKAVQVKVKALPDAQFEVV" * 2


def one_sequence(tokens: Tensor) -> PackedBatch:
    return PackedBatch(tokens=tokens, layout=layout_of([len(tokens)]))


@torch.no_grad()
def ask_naively(scorer: Scorer, sequence: str, place: int) -> Tensor:
    """One token of one sequence, everything that the model must not see taken away."""
    model = scorer.model
    assert model.head is not None
    encoded = model.tokenizer.encode([sequence])
    tokens = torch.from_numpy(encoded.ids.astype(np.int64))
    index = place + len(model.tokenizer.prefix)
    if model.objective == "next-token":
        states = model.encoder(one_sequence(tokens[:index])).states[0]
        return model.head(states[-1:]).log_softmax(-1)[0]
    if model.objective == "cloze":
        half = model.encoder.dim // 2
        before = model.encoder(one_sequence(tokens[:index])).states[0][-1, :half]
        behind = model.encoder(one_sequence(tokens[index + 1 :])).states[0][0, half:]
        return model.head(torch.cat([before, behind])[None]).log_softmax(-1)[0]
    tokens[index] = model.tokenizer.vocabulary.id("<mask>")
    states = model.encoder(one_sequence(tokens)).states[0]
    return model.head(states[index][None]).log_softmax(-1)[0]


@pytest.mark.parametrize("kind", ["masked", "cloze", "next-token", "3-mers"])
def test_each_token_is_predicted_from_what_the_objective_lets_be_seen(
    scorer_of: Callable[..., Scorer], kind: str
) -> None:
    scorer = scorer_of(kind)
    sequence = "ACGTACCNGTAGGA" if kind == "3-mers" else SEQUENCES[0]
    size = len(scorer.model.tokenizer.vocabulary)
    (found,) = scorer.log_probabilities([sequence], kept=range(size), hidden=scorer.is_two_sided)
    expected = [ask_naively(scorer, sequence, place).numpy() for place in range(len(found))]
    assert_allclose(found, np.array(expected), rtol=1e-5, atol=1e-5)
    assert_allclose(np.exp(found).sum(axis=1), 1, rtol=1e-5)


def test_in_one_pass_a_masked_model_sees_the_token(scorer_of: Callable[..., Scorer]) -> None:
    scorer = scorer_of("masked")
    (seen,) = scorer.log_probabilities([SEQUENCES[0]], hidden=False)
    (hidden,) = scorer.log_probabilities([SEQUENCES[0]], hidden=True)
    assert np.abs(seen - hidden).max() > 0.01


@pytest.mark.parametrize("kind", ["masked", "cloze", "next-token"])
@pytest.mark.parametrize("hidden", [False, True])
def test_numbers_do_not_depend_on_the_batch(
    scorer_of: Callable[..., Scorer], kind: str, hidden: bool
) -> None:
    hidden = hidden and kind != "next-token"
    sequences = [*SEQUENCES, LONG]
    together = scorer_of(kind).log_probabilities(sequences, hidden=hidden)
    for sequence, found in zip(sequences, together, strict=True):
        (alone,) = scorer_of(kind, tokens_per_batch=1).log_probabilities([sequence], hidden=hidden)
        assert_allclose(found, alone, rtol=1e-5, atol=1e-5)


def test_a_long_sequence_is_read_in_the_window_that_has_the_token_in_its_middle(
    scorer_of: Callable[..., Scorer],
) -> None:
    scorer = scorer_of("masked")
    whole = dataclasses.replace(scorer, window=None)
    (found,) = scorer.log_probabilities([LONG], hidden=True)
    size = 40  # residues: 42 tokens less two specials
    for place in (0, 19, 20, 21, 70, len(LONG) - 20, len(LONG) - 1):
        start = min(max(place - size // 2, 0), len(LONG) - size)
        (window,) = whole.log_probabilities([LONG[start : start + size]], hidden=True)
        assert_allclose(found[place], window[place - start], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("hidden", [False, True])
def test_a_sequence_within_the_window_is_read_whole(
    scorer_of: Callable[..., Scorer], hidden: bool
) -> None:
    scorer = scorer_of("masked")
    sequence = LONG[:40]
    whole = dataclasses.replace(scorer, window=None)
    (found,) = scorer.log_probabilities([sequence], hidden=hidden)
    (expected,) = whole.log_probabilities([sequence], hidden=hidden)
    assert np.array_equal(found, expected)


def test_places_choose_rows(scorer_of: Callable[..., Scorer]) -> None:
    scorer = scorer_of("masked")
    (every,) = scorer.log_probabilities([LONG], hidden=True)
    places = [np.array([3, 77, 5])]
    (some,) = scorer.log_probabilities([LONG], hidden=True, places=places)
    assert_allclose(some, every[[3, 77, 5]], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("kind", ["masked", "cloze", "next-token"])
def test_a_likelihood_counts_every_residue_once_and_nothing_else(
    scorer_of: Callable[..., Scorer], kind: str
) -> None:
    scorer = scorer_of(kind)
    ids = scorer.model.tokenizer.encode([SEQUENCES[0]]).ids[1:-1].astype(int)
    expected = sum(
        float(ask_naively(scorer, SEQUENCES[0], place)[token]) for place, token in enumerate(ids)
    )
    assert scorer.log_likelihoods([SEQUENCES[0]])[0] == pytest.approx(expected, rel=1e-5)


def test_the_likelihoods_of_a_next_token_model_add_up_to_one(
    scorer_of: Callable[..., Scorer],
) -> None:
    scorer = scorer_of("next-token")
    vocabulary = scorer.model.tokenizer.vocabulary
    (found,) = scorer.log_probabilities(["A"], kept=range(len(vocabulary)), hidden=False)
    seconds = [scorer.log_probabilities([f"A{b}"], hidden=False)[0] for b in ("C", "D")]
    assert seconds[0][0] == seconds[1][0] == found[0][vocabulary.id("A")]


def test_a_token_can_not_be_hidden_from_a_model_that_reads_from_left_to_right(
    scorer_of: Callable[..., Scorer],
) -> None:
    with pytest.raises(OptionError, match="left to right"):
        scorer_of("next-token").log_probabilities(["MK"], hidden=True)


def test_a_model_without_a_head_is_refused(scorer_of: Callable[..., Scorer]) -> None:
    scorer = scorer_of("masked")
    with pytest.raises(OptionError, match="language-model head"):
        dataclasses.replace(scorer, model=dataclasses.replace(scorer.model, head=None))


def test_a_token_that_the_head_has_no_class_for_is_impossible(
    scorer_of: Callable[..., Scorer],
) -> None:
    scorer = scorer_of("next-token")
    model, vocabulary = scorer.model, scorer.model.tokenizer.vocabulary
    last = vocabulary.id("-")
    head = LinearHead(model.encoder.dim, last)
    fewer = dataclasses.replace(scorer, model=dataclasses.replace(model, head=head))
    (found,) = fewer.log_probabilities(["MK-M"], hidden=False)
    assert np.isneginf(found[:, 0]).tolist() == [False, False, True, False]


def test_no_sequences_give_no_numbers(scorer_of: Callable[..., Scorer]) -> None:
    scorer = scorer_of("masked")
    assert scorer.log_probabilities([], hidden=True) == []
    assert len(scorer.log_likelihoods([])) == 0
