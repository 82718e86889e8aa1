"""The files that other programs read."""

from __future__ import annotations

import itertools
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioseq.errors import OptionError, StoreError
from bioseq.labels import Grammar
from bioseq.prediction.tasks import (
    TaskOptions,
    bundled_predictors,
    load_predictor,
    predict_files,
)
from bioseq.prediction.tasks.exports import export_predictions, prepare_exports
from bioseq.prediction.tasks.segments import segments
from bioseq.prediction.tasks.summary import summarise
from bioseq.store import Store

FEATURES = {"H": "alpha_helix", "E": "beta_strand"}


@pytest.fixture
def store(make_predictor: Callable[..., Path], proteins: Path, tmp_path: Path) -> Iterator[Store]:
    tasks = [
        make_predictor("secondary-structure", features=FEATURES),
        make_predictor("place", kind="mlp", level="sequence", target="labels"),
    ]
    with predict_files(proteins, tmp_path / "out.h5", TaskOptions(tasks=tasks)) as store:
        yield store


def letters(store: Store, record: int) -> str:
    values = np.asarray(store.predictions["secondary-structure"][record])
    return "".join("HEC"[i] for i in values.argmax(axis=1))


def test_fasta_has_the_most_probable_class_of_every_residue(store: Store, tmp_path: Path) -> None:
    path = export_predictions(store, tmp_path / "out.fasta")
    lines = path.read_text().splitlines()
    assert lines[::2] == [f">p{i} secondary-structure" for i in (0, 1, 2, 4, 5, 6, 7)]
    assert lines[1::2] == [letters(store, i) for i in (0, 1, 2, 4, 5, 6, 7)]


def test_a_table_has_a_row_for_every_record_failed_ones_included(
    store: Store, tmp_path: Path
) -> None:
    table = pl.read_parquet(export_predictions(store, tmp_path / "out.parquet"))
    assert table["id"].to_list() == store.ids
    assert table["failure"].is_not_null().to_list() == [i == 3 for i in range(8)]
    assert table["secondary-structure"][1] == letters(store, 1)
    assert table["secondary-structure"][3] is None
    found = store.predictions["place"][1]
    assert table.select("place.H", "place.E", "place.C").row(1) == pytest.approx(tuple(found))
    above = "|".join(c for c, p in zip("HEC", found, strict=True) if p > 0.5)
    assert table["place"][1] == (above or "HEC"[int(np.argmax(found))])


def test_gff_has_the_segments_of_the_classes_that_are_features(
    store: Store, tmp_path: Path
) -> None:
    path = export_predictions(store, tmp_path / "out.gff3")
    lines = path.read_text().splitlines()
    assert lines[0] == "##gff-version 3"
    found = {i: ["C"] * len(letters(store, i)) for i in (0, 1, 2, 4, 5, 6, 7)}
    for line in lines[1:]:
        seqid, source, feature, start, stop, score, strand, phase, attributes = line.split("\t")
        assert (source, strand, phase) == ("bioseq", ".", ".")
        assert 1 / 3 <= float(score) <= 1
        letter = {"alpha_helix": "H", "beta_strand": "E"}[feature]
        assert attributes == f"Name=secondary-structure:{letter}"
        for place in range(int(start) - 1, int(stop)):
            found[int(seqid[1:])][place] = letter
    assert {i: "".join(x) for i, x in found.items()} == {i: letters(store, i) for i in found}


@given(
    labels=st.lists(st.integers(0, 2), min_size=1, max_size=30),
)
def test_segments_cover_the_sequence_and_neighbours_differ(labels: list[int]) -> None:
    found = list(segments(np.eye(3)[labels], "HEC"))
    assert found[0].start == 0
    assert found[-1].stop == len(labels)
    for left, right in itertools.pairwise(found):
        assert left.stop == right.start
        assert left.label != right.label
    assert "".join(s.label * (s.stop - s.start) for s in found) == "".join("HEC"[i] for i in labels)


def test_an_unknown_suffix_and_an_existing_file_are_refused_beforehand(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"\.docx"):
        prepare_exports([tmp_path / "out.docx"], overwrite=False)
    (tmp_path / "out.csv").touch()
    with pytest.raises(StoreError, match="exists"):
        prepare_exports([tmp_path / "out.csv"], overwrite=False)


def test_segments_of_a_store_without_residue_classes_are_refused(
    make_predictor: Callable[..., Path], proteins: Path, tmp_path: Path
) -> None:
    task = make_predictor("place", kind="mlp", level="sequence")
    with (
        predict_files(proteins, tmp_path / "out.h5", TaskOptions(tasks=task)) as store,
        pytest.raises(OptionError, match="classes per residue"),
    ):
        export_predictions(store, tmp_path / "out.gff3")


def test_two_classes_named_like_a_bundled_target_keep_their_own_meaning(
    proteins: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "mine"
    shutil.copytree(bundled_predictors()["disorder"], folder)
    config = json.loads((folder / "config.json").read_text())
    config["targets"][0]["name"] = "topology"
    (folder / "config.json").write_text(json.dumps(config))
    with predict_files(proteins, tmp_path / "out.h5", TaskOptions(tasks=folder)) as store:
        values = {i: np.asarray(store.predictions["topology"][i]) for i in (0, 1, 2, 4, 5, 6, 7)}
        wanted = ["".join("OD"[k] for k in x.argmax(axis=1)) for x in values.values()]
        fasta = export_predictions(store, tmp_path / "out.fasta").read_text().splitlines()
        table = export_predictions(store, tmp_path / "out.parquet")
        gff = export_predictions(store, tmp_path / "out.gff3").read_text().splitlines()
        assert summarise(store)["topology"].endswith("D of the residues")
    assert fasta[1::2] == wanted
    assert pl.read_parquet(table)["topology"].drop_nulls().to_list() == wanted
    assert "".join(wanted).count("D") > 0
    features = {tuple(line.split("\t")[2::6]) for line in gff[1:]}
    assert features == {("intrinsically_unstructured_polypeptide_region", "Name=topology:D")}


def test_five_classes_without_a_grammar_are_the_most_probable_ones_and_all_features(
    make_predictor: Callable[..., Path], proteins: Path, tmp_path: Path
) -> None:
    task = make_predictor("topology", classes=tuple("ABCDE"))
    with predict_files(proteins, tmp_path / "out.h5", TaskOptions(tasks=task)) as store:
        view = store.predictions["topology"]
        assert not {"features", "grammar"} & set(view.attrs)
        found = np.concatenate([np.asarray(view[i]).argmax(axis=1) for i in view.records.tolist()])
        fasta = export_predictions(store, tmp_path / "out.fasta").read_text().splitlines()
        gff = export_predictions(store, tmp_path / "out.gff3").read_text().splitlines()
    assert len(set(found.tolist())) > 1
    assert "".join(fasta[1::2]) == "".join("ABCDE"[k] for k in found)
    assert {line.split("\t")[2] for line in gff[1:]} == {"polypeptide_region"}


def test_the_grammar_of_a_target_is_kept_in_the_store(
    make_predictor: Callable[..., Path], proteins: Path, tmp_path: Path
) -> None:
    grammar = Grammar(shortest=(1, 4, 2), forbidden=((1, 2), (2, 1)))
    task = make_predictor("mine", grammar=grammar, features={})
    assert load_predictor(task).targets[0].grammar == grammar
    with predict_files(proteins, tmp_path / "out.h5", TaskOptions(tasks=task)) as store:
        view = store.predictions["mine"]
        found = [grammar.decode(np.asarray(view[i])) for i in view.records.tolist()]
        fasta = export_predictions(store, tmp_path / "out.fasta").read_text().splitlines()
        gff = export_predictions(store, tmp_path / "out.gff3").read_text().splitlines()
    assert fasta[1::2] == ["".join("HEC"[k] for k in x) for x in found]
    assert gff == ["##gff-version 3"]


def test_typicality_is_told_by_its_kind_not_by_its_name(
    make_predictor: Callable[..., Path], proteins: Path, tmp_path: Path
) -> None:
    task = make_predictor("my-typicality", kind="mlp", level="sequence")
    with predict_files(proteins, tmp_path / "out.h5", TaskOptions(tasks=task)) as store:
        lines = summarise(store)
        table = pl.read_parquet(export_predictions(store, tmp_path / "out.parquet"))
        kinds = {name: view.attrs["kind"] for name, view in store.predictions.items()}
    assert kinds == {"my-typicality": "classes", "my-typicality-typicality": "typicality"}
    assert "unlike the training sequences" not in lines["my-typicality"]
    assert "unlike the training sequences" in lines["my-typicality-typicality"]
    assert table["my-typicality-typicality"].dtype == pl.Float64
    assert "my-typicality-typicality.typicality" not in table.columns
