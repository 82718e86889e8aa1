"""Values go out to other tools without loss."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import h5py
import numpy as np
import polars as pl
import pytest

from bioseq.errors import OptionError, StoreError
from bioseq.records import Record
from bioseq.store import Store, open_store
from bioseq.store.layouts import EXPORTS, export_store, import_store

RECORDS = [
    Record("sp|P00001|ONE_HUMAN", "first protein", "ACDEF"),
    Record("tr|Q00002|TWO_HUMAN", "", "GH"),
    Record("plain.3/1-4", "x y", "IKLM"),
]


@pytest.fixture
def store(worker: ModuleType, tmp_path: Path) -> Store:
    records = [*RECORDS, Record("bad", "", worker.BAD)]
    return open_store(worker.run(tmp_path / "store.h5", records, 3))


@pytest.mark.parametrize(("layout", "name"), [("uniprot", "residue"), ("uniprot", "mean")])
def test_what_goes_out_keyed_comes_in_again(
    worker: ModuleType, tmp_path: Path, layout: str, name: str
) -> None:
    records = [Record(r.id.replace("/", "-"), r.description, r.sequence) for r in RECORDS]
    path = worker.run(tmp_path / "store.h5", records, 3)
    with open_store(path) as store:
        file = export_store(store, tmp_path / "out.h5", layout=layout, name=name)
        back = import_store(file, tmp_path / "back.h5", name=name, records=records)
        with open_store(back) as again:
            for index in range(3):
                np.testing.assert_array_equal(again[name][index], store[name][index])
                assert again[name].dtype == store[name].dtype


def test_bio_embeddings_goes_out_longest_first(store: Store, tmp_path: Path) -> None:
    path = export_store(store, tmp_path / "out.h5", layout="bio_embeddings", name="residue")
    with h5py.File(path) as file:
        assert [file[k].attrs["original_id"] for k in "012"] == [RECORDS[i].id for i in (0, 2, 1)]
    back = import_store(path, tmp_path / "back.h5", records=RECORDS)
    with open_store(back) as again:
        np.testing.assert_array_equal(again["residue"][1], store["residue"][1])


def test_numpy_files_hold_the_values_in_input_order(store: Store, tmp_path: Path) -> None:
    matrix = np.load(export_store(store, tmp_path / "o.npy", layout="npy", name="mean"))
    np.testing.assert_array_equal(matrix, store["mean"].to_numpy())
    with np.load(export_store(store, tmp_path / "o.npz", layout="npz", name="residue")) as file:
        assert file["ids"].tolist() == [r.id for r in RECORDS]
        start, stop = file["offsets"][1:3]
        np.testing.assert_array_equal(file["values"][start:stop], store["residue"][1])


def test_parquet_has_a_line_per_record_or_per_residue(store: Store, tmp_path: Path) -> None:
    frame = pl.read_parquet(
        export_store(store, tmp_path / "m.parquet", layout="parquet", name="mean")
    )
    assert frame.columns == ["record", "id", "embedding"]
    np.testing.assert_array_equal(frame["embedding"].to_numpy(), store["mean"].to_numpy())
    frame = pl.read_parquet(
        export_store(store, tmp_path / "r.parquet", layout="parquet", name="residue")
    )
    second = frame.filter(pl.col("record") == 1)
    assert second["position"].to_list() == [1, 2]
    np.testing.assert_array_equal(second["embedding"].to_numpy(), store["residue"][1])


def test_anndata_has_an_observation_per_record(store: Store, tmp_path: Path) -> None:
    anndata = pytest.importorskip("anndata")
    path = export_store(store, tmp_path / "o.h5ad", layout="anndata", name="mean")
    table = anndata.read_h5ad(path)
    np.testing.assert_array_equal(table.X, store["mean"].to_numpy())
    assert table.obs["id"].tolist() == [r.id for r in RECORDS]


def test_predictions_go_out_by_their_path(store: Store, tmp_path: Path) -> None:
    path = export_store(store, tmp_path / "o.npz", layout="npz", name="predictions/ss3")
    with np.load(path) as file:
        assert file["values"].shape[1] == 3


@pytest.mark.parametrize(
    ("layout", "name", "error", "message"),
    [
        ("uniprot", "mean", StoreError, "'plain.3/1-4' can't name a dataset"),
        ("npy", "residue", OptionError, "one vector per sequence"),
        ("anndata", "residue", OptionError, "one vector per sequence"),
        ("csv", "mean", OptionError, "parquet, npy"),
        ("npy", "max", StoreError, "no embedding 'max'"),
        ("npy", "predictions/zz", StoreError, "lacks the group predictions/zz"),
    ],
)
def test_an_export_that_would_lose_something_is_refused(
    store: Store, tmp_path: Path, layout: str, name: str, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        export_store(store, tmp_path / "out", layout=layout, name=name)
    assert [p.name for p in tmp_path.iterdir()] == ["store.h5"]


@pytest.mark.parametrize("layout", EXPORTS)
def test_an_existing_file_is_not_replaced_by_an_export(
    store: Store, tmp_path: Path, layout: str
) -> None:
    path = tmp_path / "out"
    path.write_text("mine")
    with pytest.raises(StoreError, match="exists; choose another name"):
        export_store(store, path, layout=layout, name="mean")
    assert path.read_text() == "mine"
