"""From files of sequences to a store, and a table, of how likely a model finds them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from numpy.testing import assert_allclose

from bioseq.errors import OptionError, StoreError
from bioseq.prediction.likelihood import LikelihoodOptions, predict_likelihood
from bioseq.prediction.likelihood.engine import LikelihoodEngine
from bioseq.runs import CheckedRecord, Inputs
from bioseq.store import check_store, content_digest, open_store
from tests.prediction.likelihood.inputs import GOOD, LONG, RECORDS, Kind, values, write


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
    monkeypatch.setattr("bioseq.prediction.language.job.BLOCK_RECORDS", 1)
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
    monkeypatch.setattr("bioseq.prediction.language.job.BLOCK_RECORDS", 50)
    monkeypatch.setattr("bioseq.runs.inputs._SAMPLE_RECORDS", 10)
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
