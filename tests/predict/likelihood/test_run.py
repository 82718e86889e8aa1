"""From files of sequences to a store, and a table, of how likely a model finds them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from numpy.testing import assert_allclose

from bioseq.embed.inputs import Inputs
from bioseq.embed.records import CheckedRecord
from bioseq.errors import OptionError, StoreError
from bioseq.predict import language_job
from bioseq.predict.likelihood import LikelihoodOptions, predict_likelihood
from bioseq.predict.likelihood.engine import LikelihoodEngine
from bioseq.predict.scorer import Scorer
from bioseq.store import Store, check_store, content_digest, open_store

LONG = "MKTAYIAKQRQISFVKSHFSRQLEERLGLIEVQAPILSRVGDGTQDNLSGAEKAVQVKVKALPDAQFEVV" * 2
RECORDS = [
    ("a some protein", "MKTAYIAKQRQISFVKSH"),
    ("one", "M"),
    ("empty", ""),
    ("long", LONG),
    ("wrong", "MK1"),
    ("a", "mktayiakqrqisfvksh"),
    ("mixed", "ACDEFGHIKLMNPQRSTVWYXB"),
]
GOOD = [0, 1, 3, 5, 6]
Kind = Callable[[str], Path]


def write(path: Path, records: list[tuple[str, str]]) -> Path:
    path.write_text("".join(f">{name}\n{sequence}\n" for name, sequence in records))
    return path


@pytest.fixture
def fasta(tmp_path: Path) -> Path:
    return write(tmp_path / "in.fasta", RECORDS)


def values(store: Store, name: str) -> list[np.ndarray]:
    return [np.asarray(store.predictions[name][record]) for record in GOOD]


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
    monkeypatch.setattr("bioseq.predict.language_job.BLOCK_RECORDS", 2)
    options = LikelihoodOptions(model=model, tokens_per_batch=50)
    with predict_likelihood(turned, tmp_path / "b.h5", options) as store:
        for name, wanted in expected.items():
            last = len(RECORDS) - 1
            found = [np.asarray(store.predictions[name][last - record]) for record in GOOD]
            for one, other in zip(found, wanted, strict=True):
                assert_allclose(one, other, rtol=1e-5, atol=1e-5)


class Kill:
    """Ends the run when it is told the second time."""

    told = 0

    def begin(self, **_: Any) -> None: ...

    def advance(self, **_: Any) -> None:
        self.told += 1
        if self.told == 2:
            raise KeyboardInterrupt


def test_a_killed_run_goes_on_and_ends_the_same(
    language_model: Kind, fasta: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bioseq.predict.language_job.BLOCK_RECORDS", 1)
    options = LikelihoodOptions(model=language_model("masked"), distribution=True)
    output = tmp_path / "a.h5"
    with pytest.raises(KeyboardInterrupt):
        predict_likelihood(fasta, output, options, progress=Kill())
    assert not output.exists()
    assert 0 < len(list((tmp_path / "a.h5.parts").glob("part-*"))) < len(RECORDS)
    with (
        predict_likelihood(fasta, output, options) as resumed,
        predict_likelihood(fasta, tmp_path / "b.h5", options) as whole,
    ):
        assert content_digest(resumed) == content_digest(whole)


def test_records_are_read_as_they_are_needed(
    language_model: Kind, fasta: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bioseq.predict.language_job.BLOCK_RECORDS", 50)
    monkeypatch.setattr("bioseq.embed.inputs._SAMPLE_RECORDS", 10)
    given: list[CheckedRecord] = []
    scored: list[int] = []
    read, run = Inputs.__iter__, LikelihoodEngine.run

    def watched_read(inputs: Inputs) -> Iterator[CheckedRecord]:
        for record in read(inputs):
            given.append(record)
            yield record

    def watched_run(engine: LikelihoodEngine, sequences: Any, advance: Any) -> Any:
        scored.append(len(given))
        return run(engine, sequences, advance)

    monkeypatch.setattr(Inputs, "__iter__", watched_read)
    monkeypatch.setattr(LikelihoodEngine, "run", watched_run)
    many = [(f"r{n}", LONG[n % 90 : n % 90 + 9]) for n in range(200)]
    write(fasta, many)
    options = LikelihoodOptions(model=language_model("cloze"))
    predict_likelihood(fasta, tmp_path / "a.h5", options).close()
    assert scored == [50, 100, 150, 200]


def test_an_empty_file_gives_an_empty_store_with_all_its_columns(
    language_model: Kind, tmp_path: Path
) -> None:
    empty = write(tmp_path / "empty.fasta", [])
    options = LikelihoodOptions(model=language_model("masked"), distribution=True)
    table = tmp_path / "out.csv"
    with predict_likelihood(empty, tmp_path / "out.h5", options, table=table) as store:
        assert {name: view.dim for name, view in store.predictions.items()} == {
            "token-log-probabilities": 1,
            "log-likelihood": 1,
            "perplexity": 1,
            "log-probabilities": 29,
        }
    assert check_store(tmp_path / "out.h5") == []
    assert table.read_text() == "record,id,length,log_likelihood,perplexity,failure\n"


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".parquet"])
def test_a_table_has_a_line_for_each_record(
    language_model: Kind, fasta: Path, tmp_path: Path, suffix: str
) -> None:
    table = tmp_path / f"out{suffix}"
    options = LikelihoodOptions(model=language_model("next-token"))
    with predict_likelihood(fasta, tmp_path / "out.h5", options, table=table) as store:
        totals = np.concatenate(values(store, "log-likelihood"))
    separator = "\t" if suffix == ".tsv" else ","
    lines = (
        pl.read_parquet(table) if suffix == ".parquet" else pl.read_csv(table, separator=separator)
    )
    assert lines["id"].to_list() == [name.split()[0] for name, _ in RECORDS]
    lengths = [len(s) if record in GOOD else None for record, (_, s) in enumerate(RECORDS)]
    assert lines["length"].to_list() == lengths
    assert_allclose(lines["log_likelihood"].drop_nulls().to_numpy(), totals)
    assert lines["perplexity"].is_null().to_list() == [length is None for length in lengths]
    assert lines["failure"][2] == "empty sequence"


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


def test_other_settings_and_strategies_that_a_model_can_not_follow_are_refused(
    language_model: Kind, fasta: Path, tmp_path: Path
) -> None:
    model, output = language_model("masked"), tmp_path / "out.h5"
    predict_likelihood(fasta, output, LikelihoodOptions(model=model)).close()
    one_pass = LikelihoodOptions(model=model, strategy="wild-type-marginals")
    with pytest.raises(StoreError, match=r"strategy was 'pseudo-perplexity'.*--overwrite"):
        predict_likelihood(fasta, output, one_pass)
    for kind, strategy in (("masked", "likelihood"), ("next-token", "pseudo-perplexity")):
        options = LikelihoodOptions(model=language_model(kind), strategy=strategy)  # pyright: ignore[reportArgumentType]
        with pytest.raises(OptionError, match="for this model"):
            predict_likelihood(fasta, tmp_path / "other.h5", options)
    with pytest.raises(OptionError, match=r"\.parquet"):
        predict_likelihood(fasta, tmp_path / "other.h5", one_pass, table=tmp_path / "out.xls")


def test_the_bundled_model_asks_about_equal_sequences_once(tmp_path: Path) -> None:
    fasta = write(tmp_path / "in.fasta", [("once", LONG[:70]), ("again", LONG[:70].lower())])
    predict_likelihood(fasta, tmp_path / "out.h5").close()
    with open_store(tmp_path / "out.h5") as store:
        assert store.num_sequences == 1
        assert store.provenance["strategy"] == "pseudo-perplexity"
        assert store.predictions["perplexity"][0][0] < 20
