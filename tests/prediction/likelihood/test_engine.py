"""What a store says of sequences, against the scorer that is asked about each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from numpy.testing import assert_allclose

from bioseq.errors import OptionError
from bioseq.prediction.language import job as language_job
from bioseq.prediction.language.scorer import Scorer
from bioseq.prediction.likelihood import LikelihoodOptions, predict_likelihood
from bioseq.store import check_store
from tests.prediction.likelihood.inputs import GOOD, RECORDS, Kind, values, write


@pytest.mark.parametrize("kind", ["masked", "cloze", "next-token"])
def test_a_store_holds_what_the_scorer_says(
    language_model: Kind, scorer_of: Callable[..., Scorer], fasta: Path, tmp_path: Path, kind: str
) -> None:
    scorer = scorer_of(kind)
    sequences = [RECORDS[record][1] for record in GOOD]
    options = LikelihoodOptions(model=language_model(kind), overlap=8 if kind == "masked" else None)
    with predict_likelihood(fasta, tmp_path / "out.h5", options) as store:
        tokens = values(store, "token-log-probabilities")
        totals = np.concatenate(values(store, "log-likelihood"))
        perplexities = np.concatenate(values(store, "perplexity"))
        assert store.failures["record"].to_list() == [2, 4]
    assert check_store(tmp_path / "out.h5") == []
    expected = scorer.log_probabilities(sequences, hidden=kind != "next-token")
    for found, wanted in zip(tokens, expected, strict=True):
        assert_allclose(found, wanted, rtol=1e-5, atol=1e-5)
    assert_allclose(totals, scorer.log_likelihoods(sequences), rtol=1e-5, atol=1e-5)
    lengths = np.array([len(sequence) for sequence in sequences])
    assert_allclose(perplexities, np.exp(-totals / lengths), rtol=1e-12)


def test_in_one_pass_a_masked_model_sees_the_token(
    language_model: Kind, scorer_of: Callable[..., Scorer], fasta: Path, tmp_path: Path
) -> None:
    options = LikelihoodOptions(
        model=language_model("masked"), strategy="wild-type-marginals", overlap=8
    )
    with predict_likelihood(fasta, tmp_path / "out.h5", options) as store:
        tokens = values(store, "token-log-probabilities")
        assert store.predictions["perplexity"].attrs["strategy"] == "wild-type-marginals"
    sequences = [RECORDS[record][1] for record in GOOD]
    expected = scorer_of("masked").log_probabilities(sequences, hidden=False)
    for found, wanted in zip(tokens, expected, strict=True):
        assert_allclose(found, wanted, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("kind", ["masked", "cloze", "next-token", "rna"])
def test_the_whole_distribution_has_the_own_token_among_its_classes(
    language_model: Kind, tmp_path: Path, kind: str
) -> None:
    sequence = "ACGTUTNACG" if kind == "rna" else "MKTXBACW"
    fasta = write(tmp_path / "in.fasta", [("a", sequence)])
    plain = LikelihoodOptions(model=language_model(kind))
    whole = LikelihoodOptions(model=language_model(kind), distribution=True)
    with (
        predict_likelihood(fasta, tmp_path / "plain.h5", plain) as without,
        predict_likelihood(fasta, tmp_path / "whole.h5", whole) as store,
    ):
        own = np.asarray(store.predictions["token-log-probabilities"][0])
        assert np.array_equal(own, without.predictions["token-log-probabilities"][0])
        assert "log-probabilities" not in without.predictions
        every = np.asarray(store.predictions["log-probabilities"][0])
        classes: Any = store.predictions["log-probabilities"].attrs["classes"]
    read = sequence.replace("T", "U") if kind == "rna" else sequence
    columns = [list(classes).index(symbol) for symbol in read]
    assert np.array_equal(every[np.arange(len(read)), columns], own[:, 0])
    assert len(set(classes)) == len(classes) == every.shape[1]
    # What is missing from 1 is the share of the special tokens.
    assert (np.exp(every).sum(axis=1) < 1).all()
    assert (np.exp(every).sum(axis=1) > 0.3).all()


def test_tokens_of_several_bases_have_a_row_each_and_no_distribution(
    language_model: Kind, tmp_path: Path
) -> None:
    fasta = write(tmp_path / "in.fasta", [("a", "ACGTACCNGTAGGA")])
    options = LikelihoodOptions(model=language_model("3-mers"))
    with predict_likelihood(fasta, tmp_path / "out.h5", options) as store:
        tokens = np.asarray(store.predictions["token-log-probabilities"][0])
        perplexity = np.asarray(store.predictions["perplexity"][0])
    assert tokens.shape == (12, 1)
    assert_allclose(perplexity, np.exp(-tokens.mean(dtype=np.float64)), rtol=1e-6)
    whole = LikelihoodOptions(model=language_model("3-mers"), distribution=True)
    with pytest.raises(OptionError, match="one token for each residue"):
        predict_likelihood(fasta, tmp_path / "other.h5", whole)


@pytest.mark.parametrize("kind", ["masked", "cloze", "next-token"])
def test_numbers_do_not_depend_on_the_batch_the_order_or_the_blocks(
    language_model: Kind, fasta: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    model = language_model(kind)
    turned = write(tmp_path / "turned.fasta", RECORDS[::-1])
    with predict_likelihood(fasta, tmp_path / "a.h5", LikelihoodOptions(model=model)) as store:
        expected = {name: values(store, name) for name in store.predictions}
    monkeypatch.setattr("bioseq.prediction.language.job.BLOCK_RECORDS", 2)
    options = LikelihoodOptions(model=model, tokens_per_batch=50)
    with predict_likelihood(turned, tmp_path / "b.h5", options) as store:
        for name, wanted in expected.items():
            last = len(RECORDS) - 1
            found = [np.asarray(store.predictions[name][last - record]) for record in GOOD]
            for one, other in zip(found, wanted, strict=True):
                assert_allclose(one, other, rtol=1e-5, atol=1e-5)


def test_a_symbol_that_the_model_can_not_foretell_fails_its_record(
    language_model: Kind, fasta: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build = language_job.build_job

    def without_the_last_classes(options: Any) -> Any:
        job = build(options)
        head: Any = job.model.head
        kept = job.model.tokenizer.vocabulary.id("X")
        head.output.weight.data = head.output.weight.data[:kept]
        head.output.bias.data = head.output.bias.data[:kept]
        head.output.out_features = kept
        return job

    monkeypatch.setattr(language_job, "build_job", without_the_last_classes)
    options = LikelihoodOptions(model=language_model("next-token"), distribution=True)
    with predict_likelihood(fasta, tmp_path / "out.h5", options) as store:
        failures = store.failures.filter(pl.col("id") == "mixed")
        assert "".join(store.predictions["log-probabilities"].attrs["classes"]) == (  # pyright: ignore
            "ACDEFGHIKLMNPQRSTVWY"
        )
    assert failures["reason"].to_list() == [
        "a number is not finite: the model can't foretell a symbol of it, or needs --precision "
        "float32"
    ]
