"""Labels of the nearest: against the plainest computation, whole, and only from what fits."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from bioseq.embedding import EmbedOptions, embed_files
from bioseq.errors import BioseqError, CheckpointError, FormatError, OptionError, StoreError
from bioseq.prediction.nearest import (
    NearestOptions,
    export_neighbours,
    neighbour_table,
    predict_nearest,
)
from bioseq.store import check_store, content_digest, open_store

Embed = Callable[..., Path]


def _write_fasta(path: Path, sequences: list[str]) -> Path:
    path.write_text("".join(f">q{i}\n{s}\n" for i, s in enumerate(sequences)))
    return path


Options = Callable[..., NearestOptions]


@pytest.fixture
def options_of(labels: Path, tiny_lstm: Path) -> Options:
    def options_of(store: Path, **given: Any) -> NearestOptions:
        fields = {"labels": labels, "column": "place", "model": tiny_lstm, **given}
        return NearestOptions(store=store, **fields)

    return options_of


@pytest.fixture
def queries(tmp_path: Path, sequences: list[str]) -> Path:
    """Two of the reference's sequences, and their reverses."""
    own = [sequences[3], sequences[8]]
    return _write_fasta(tmp_path / "queries.fasta", [*own, *(s[::-1] for s in sequences[:12])])


def _distances(queries: np.ndarray, known: np.ndarray, metric: str) -> np.ndarray:
    if metric == "euclidean":
        return np.linalg.norm(queries[:, None] - known, axis=2)
    unit = [x / np.linalg.norm(x, axis=1, keepdims=True) for x in (queries, known)]
    return 1 - unit[0] @ unit[1].T


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize("column", ["place", "heat"])
def test_neighbours_and_votes_are_those_of_the_plain_computation(
    tmp_path: Path,
    reference: Embed,
    labels: Path,
    options_of: Options,
    queries: Path,
    tiny_lstm: Path,
    metric: Any,
    column: str,
) -> None:
    store = reference()
    options = options_of(store, column=column, where="split=train", neighbours=4, metric=metric)
    table = pl.read_csv(labels).filter(pl.col("split") == "train")
    with (
        open_store(store) as known,
        embed_files(queries, tmp_path / "q.h5", EmbedOptions(model=tiny_lstm)) as embedded,
        predict_nearest(queries, tmp_path / "out.h5", options) as out,
    ):
        records = np.array([int(id[1:]) for id in table["id"]])
        vectors = np.asarray(known["mean"].to_numpy(), np.float64)[records]
        found = _distances(np.asarray(embedded["mean"].to_numpy(), np.float64), vectors, metric)
        order = np.argsort(found, axis=1)[:, :4]
        nearest = np.take_along_axis(found, order, 1)
        of = {name: np.asarray(view.to_numpy()) for name, view in out.predictions.items()}
        np.testing.assert_array_equal(of[f"{column}-neighbours"], records[order])
        np.testing.assert_allclose(of[f"{column}-distances"], nearest, atol=1e-6)

        weights = np.exp(-(nearest - nearest[:, :1]) / float(out.provenance["scale"]))  # pyright: ignore
        weights /= weights.sum(axis=1, keepdims=True)
        if column == "heat":
            expected = (weights * table["heat"].to_numpy()[order]).sum(axis=1, keepdims=True)
        else:
            classes = ["across", "inside", "outside"]
            assert out.predictions[column].attrs["classes"] == classes
            names = table["place"].to_numpy()
            hot = names[:, None] == classes
            expected = (4 * np.einsum("qn,qnc->qc", weights, hot[order]) + hot.mean(axis=0)) / 5
        np.testing.assert_allclose(of[column], expected, atol=1e-6)
    assert check_store(tmp_path / "out.h5") == []


def test_a_sequence_of_the_reference_is_its_own_nearest_even_in_half_precision(
    tmp_path: Path, reference: Embed, options_of: Options, queries: Path
) -> None:
    store = reference(save_as="float16", pool=["max", "std"], layers=[1], per_residue=True)
    options = options_of(store, embedding="std_layer1", neighbours=2)
    with predict_nearest(queries, tmp_path / "out.h5", options) as out, open_store(store) as known:
        table = neighbour_table(out, known)
        assert [ids.split("|")[0] for ids in table["place-neighbours"][:2]] == ["r3", "r8"]
        assert [text.split("|")[0] for text in table["place-distances"][:2]] == ["0", "0"]
        export_neighbours(out, known, tmp_path / "out.csv")
    assert pl.read_csv(tmp_path / "out.csv")["place-neighbours"].equals(table["place-neighbours"])


def test_nothing_depends_on_how_the_work_is_cut(
    tmp_path: Path,
    reference: Embed,
    options_of: Options,
    queries: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    options = options_of(reference())
    with predict_nearest(queries, tmp_path / "whole.h5", options) as whole:
        values = {n: dict(iter(view)) for n, view in whole.predictions.items()}
    monkeypatch.setattr("bioseq.prediction.nearest.reference._ROWS_AT_A_TIME", 7)
    monkeypatch.setattr("bioseq.prediction.nearest.search._QUERIES_AT_A_TIME", 3)
    monkeypatch.setattr("bioseq.embedding.job.BLOCK_RECORDS", 4)
    records = queries.read_text().split(">")[1:]
    random.Random(0).shuffle(records)
    queries.write_text(">" + ">".join(records))
    with predict_nearest(queries, tmp_path / "cut.h5", options) as cut:
        for name, view in cut.predictions.items():
            for id, value in view:
                np.testing.assert_allclose(value, values[name][id], rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("rows", [7, 8_192])
def test_of_equal_sequences_the_first_count_whatever_the_cut(
    rows: int,
    tmp_path: Path,
    sequences: list[str],
    tiny_lstm: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bioseq.prediction.nearest.reference._ROWS_AT_A_TIME", rows)
    many = [*sequences[:5], *[sequences[5]] * 40, *sequences[6:]]
    store = tmp_path / "many.h5"
    fasta = _write_fasta(tmp_path / "many.fasta", many)
    embed_files(fasta, store, EmbedOptions(model=tiny_lstm)).close()
    labels = tmp_path / "many.csv"
    table = {"id": [f"q{i}" for i in range(len(many))], "kind": ["ab"[i % 2] for i in range(69)]}
    pl.DataFrame(table).write_csv(labels)
    options = NearestOptions(
        store=store, labels=labels, column="kind", model=tiny_lstm, neighbours=4
    )
    query = _write_fasta(tmp_path / "query.fasta", [sequences[5]])
    with predict_nearest(query, tmp_path / "out.h5", options) as out:
        assert np.asarray(out.predictions["kind-neighbours"][0]).tolist() == [5, 6, 7, 8]
        distances = np.asarray(out.predictions["kind-distances"][0])
        assert len(set(distances.tolist())) == 1
        np.testing.assert_allclose(distances, 0, atol=1e-6)  # embedded among others


class _Stop:
    """Ends a run once some residues are done."""

    def __getattr__(self, name: str) -> Callable[..., None]:
        return self._advance if name == "advance" else lambda *args, **kwargs: None

    def __init__(self) -> None:
        self.calls = 0

    def _advance(self, *args: object, **kwargs: object) -> None:
        self.calls += 1
        if self.calls == 3:
            raise KeyboardInterrupt


def test_an_interrupted_transfer_ends_as_an_uninterrupted_one_and_failures_are_listed(
    tmp_path: Path,
    reference: Embed,
    options_of: Options,
    queries: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    queries.write_text(queries.read_text() + ">bad\nMK?\n")
    monkeypatch.setattr("bioseq.embedding.job.BLOCK_RECORDS", 4)
    options = options_of(reference())
    with pytest.raises(KeyboardInterrupt):
        predict_nearest(queries, tmp_path / "cut.h5", options, progress=_Stop())  # pyright: ignore
    assert not (tmp_path / "cut.h5").exists()
    with (
        predict_nearest(queries, tmp_path / "cut.h5", options) as cut,
        predict_nearest(queries, tmp_path / "whole.h5", options) as whole,
    ):
        assert whole.failures["id"].to_list() == ["bad"]
        assert len(whole) == 15
        assert content_digest(cut) == content_digest(whole)
    other = replace(options, neighbours=3)
    with pytest.raises(StoreError, match="neighbours was 5, now 3"):
        predict_nearest(queries, tmp_path / "cut.h5", other)


def test_another_model_than_the_reference_has_is_refused(
    tmp_path: Path, reference: Embed, options_of: Options, queries: Path, tiny_transformer: Path
) -> None:
    options = options_of(reference(), model=tiny_transformer)
    with pytest.raises(CheckpointError, match=r"not the model that .*reference.h5 was embedded"):
        predict_nearest(queries, tmp_path / "out.h5", options)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"column": "color"}, FormatError, "no column 'color' among id, place"),
        ({"id": "split"}, FormatError, "the id 'train' has the labels"),
        ({"column": "place", "kind": "value"}, FormatError, "for the id 'r0'; expected numbers"),
        ({"where": "split=none"}, FormatError, "no label in the column 'place' of 0 rows"),
        ({"where": "split"}, OptionError, "where is 'split'; allowed: COLUMN=VALUE"),
        ({"neighbours": 30}, OptionError, "neighbours is 30; allowed: up to 29, the labelled"),
        ({"neighbours": 0}, OptionError, "neighbours is 0; allowed: 1 or more"),
        ({"embedding": "max"}, StoreError, "embeddings with a vector per sequence: mean; name"),
        ({"id": "heat"}, StoreError, "0 of its 30 records have a label"),
    ],
)
def test_what_does_not_fit_is_named(
    tmp_path: Path,
    reference: Embed,
    options_of: Options,
    queries: Path,
    change: dict[str, Any],
    error: type[BioseqError],
    message: str,
) -> None:
    store = reference()
    with pytest.raises(error, match=message):
        predict_nearest(queries, tmp_path / "out.h5", options_of(store, **change))
    assert not (tmp_path / "out.h5").exists()
