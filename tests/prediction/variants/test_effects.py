"""The strategies, against sums written out by hand."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.testing import assert_allclose

from bioseq.errors import OptionError
from bioseq.prediction.language.scorer import Scorer
from bioseq.prediction.variants.effects import Effects, choose_strategy
from bioseq.prediction.variants.options import Strategy

WILD_TYPE = "MKTAYIAKQRQISFVK"
VARIANTS = ["MATAYIAKQRQISFVK", "MATAYIAKQRQISFCK", WILD_TYPE]
STRATEGIES: list[tuple[str, Strategy]] = [
    ("masked", "wild-type-marginals"),
    ("masked", "masked-marginals"),
    ("masked", "pseudo-perplexity"),
    ("cloze", "masked-marginals"),
    ("cloze", "pseudo-perplexity"),
    ("next-token", "wild-type-marginals"),
    ("next-token", "likelihood"),
]


def ignore(_: int) -> None:
    pass


@pytest.mark.parametrize(("kind", "strategy"), STRATEGIES)
def test_the_wild_type_scores_nothing(
    scorer_of: Callable[..., Scorer], kind: str, strategy: Strategy
) -> None:
    effects = Effects(scorer=scorer_of(kind), strategy=strategy)
    found = effects.of_variants(WILD_TYPE, VARIANTS, ignore)
    assert found[2] == 0
    assert (found[:2] != 0).all()


@pytest.mark.parametrize(("kind", "strategy"), STRATEGIES)
def test_a_scan_says_the_same_as_its_variants_one_by_one(
    scorer_of: Callable[..., Scorer], kind: str, strategy: Strategy
) -> None:
    effects = Effects(scorer=scorer_of(kind), strategy=strategy)
    sequence = WILD_TYPE[:6]
    scan = effects.of_substitutions(sequence, ignore)
    mutants = [
        sequence[:place] + residue + sequence[place + 1 :]
        for place in range(len(sequence))
        for residue in effects.residues
    ]
    singly = [effects.of_variants(sequence, [mutant], ignore)[0] for mutant in mutants]
    assert_allclose(scan.ravel(), singly, rtol=1e-5, atol=2e-5)
    assert all(
        scan[place, effects.residues.index(residue)] == 0 for place, residue in enumerate(sequence)
    )


@pytest.mark.parametrize("strategy", ["wild-type-marginals", "masked-marginals"])
def test_marginals_are_log_odds_in_the_context_of_the_wild_type_and_add_up(
    scorer_of: Callable[..., Scorer], strategy: Strategy
) -> None:
    scorer = scorer_of("masked")
    vocabulary = scorer.model.tokenizer.vocabulary
    (table,) = scorer.log_probabilities(
        [WILD_TYPE], kept=range(len(vocabulary)), hidden=strategy == "masked-marginals"
    )

    def odds(place: int, mutant: str) -> float:
        return table[place, vocabulary.id(mutant)] - table[place, vocabulary.id(WILD_TYPE[place])]

    found = Effects(scorer=scorer, strategy=strategy).of_variants(WILD_TYPE, VARIANTS, ignore)
    assert_allclose(found[:2], [odds(1, "A"), odds(1, "A") + odds(14, "C")], rtol=1e-5, atol=1e-5)


def test_pseudo_perplexity_is_that_of_every_residue(scorer_of: Callable[..., Scorer]) -> None:
    scorer = scorer_of("masked")
    shorter = WILD_TYPE[:-2]

    def perplexity(sequence: str) -> float:
        (found,) = scorer.log_probabilities([sequence], hidden=True)
        assert len(found) == len(sequence)
        return float(np.exp(-found.mean()))

    effects = Effects(scorer=scorer, strategy="pseudo-perplexity")
    variants = [VARIANTS[0], shorter]
    found = effects.of_variants(WILD_TYPE, variants, ignore)
    logs = [np.log(perplexity(sequence)) for sequence in (WILD_TYPE, *variants)]
    expected = [len(WILD_TYPE) * (logs[0] - log) for log in logs[1:]]
    assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_a_likelihood_strategy_compares_whole_sequences(scorer_of: Callable[..., Scorer]) -> None:
    scorer = scorer_of("next-token")
    found = Effects(scorer=scorer, strategy="likelihood").of_variants(WILD_TYPE, VARIANTS, ignore)
    levels = scorer.log_likelihoods([*VARIANTS[:2], WILD_TYPE])
    assert_allclose(found[:2], levels[:2] - levels[2], rtol=1e-5, atol=1e-5)


def test_a_model_that_never_sees_the_residue_has_one_kind_of_marginal(
    scorer_of: Callable[..., Scorer],
) -> None:
    seen, hidden = (
        Effects(scorer=scorer_of("cloze"), strategy=strategy).of_substitutions(WILD_TYPE, ignore)
        for strategy in ("wild-type-marginals", "masked-marginals")
    )
    assert np.array_equal(seen, hidden)


def test_a_place_without_a_definite_residue_has_no_numbers(
    scorer_of: Callable[..., Scorer],
) -> None:
    for strategy in ("masked-marginals", "pseudo-perplexity"):
        effects = Effects(scorer=scorer_of("masked"), strategy=strategy)
        scan = effects.of_substitutions("MXK", ignore)
        assert np.isnan(scan).all(axis=1).tolist() == [False, True, False]
        assert np.isfinite(scan[[0, 2]]).all()


@pytest.mark.parametrize(
    ("kind", "strategy", "usual"),
    [
        ("masked", "likelihood", "masked-marginals"),
        ("next-token", "masked-marginals", "likelihood"),
        ("3-mers", "masked-marginals", "pseudo-perplexity"),
    ],
)
def test_a_strategy_that_a_model_can_not_follow_is_refused(
    scorer_of: Callable[..., Scorer], kind: str, strategy: Strategy, usual: Strategy
) -> None:
    scorer = scorer_of(kind)
    with pytest.raises(OptionError, match=usual):
        choose_strategy(scorer, strategy)
    assert choose_strategy(scorer, None) == usual


def test_the_cost_is_what_goes_through_the_encoder(scorer_of: Callable[..., Scorer]) -> None:
    for kind, strategy in STRATEGIES:
        effects = Effects(scorer=scorer_of(kind), strategy=strategy)
        told: list[int] = []
        effects.of_substitutions("MKTAYI", told.append)
        base = effects.cost("MKTAYI")  # strategies on whole sequences also score the wild type
        scan = effects.scan_cost("MKTAYI")
        assert sum(told) == scan + (base if scan > base else 0)
