"""Asking an open store."""

from __future__ import annotations

import fcntl
from pathlib import Path
from types import ModuleType

import h5py
import numpy as np
import pytest

from bioseq.errors import StoreError
from bioseq.records import Record, refget_digest
from bioseq.store import Block, Ragged, UnfinishedWork, content_digest, merge_stores, open_store
from bioseq.store import columns as columns_module


@pytest.fixture
def four_records(worker: ModuleType, tmp_path: Path) -> Path:
    records = [
        Record("a", "", "ACD"),
        Record("b", "", "AJ"),
        Record("twice", "", "CC"),
        Record("twice", "", "DDD"),
        Record("same", "", "ACD"),
        Record("same", "", "acd"),
    ]
    return worker.run(tmp_path / "four.h5", records, 4)


def test_a_slice_gives_the_values_of_those_records(worker: ModuleType, four_records: Path) -> None:
    with open_store(four_records) as store:
        values = store["residue"][2:5]
        assert [len(value) for value in values] == [2, 3, 3]
        np.testing.assert_array_equal(values[2], worker.residues_of("ACD"))
        assert np.shape(store["mean"][2:5]) == (3, worker.DIM)
        np.testing.assert_array_equal(store["mean"][-1], store["mean"][0])


def test_an_id_of_one_sequence_is_enough_and_of_two_is_not(four_records: Path) -> None:
    with open_store(four_records) as store:
        np.testing.assert_array_equal(store["mean"].by_id("same"), store["mean"][0])
        with pytest.raises(StoreError, match=r"'twice' stands for different.* indices 2, 3"):
            store["mean"].by_id("twice")
        with pytest.raises(StoreError, match="no record has the id 'zz'"):
            store["mean"].by_id("zz")


def test_a_failed_record_says_why_when_asked_for(four_records: Path) -> None:
    with open_store(four_records) as store:
        with pytest.raises(StoreError, match="record 1 failed: holds J"):
            store["mean"][1]
        with pytest.raises(StoreError, match="record 1 failed"):
            store["mean"][0:3]
        with pytest.raises(IndexError):
            store["mean"][6]


def test_predictions_keep_their_classes(four_records: Path) -> None:
    with open_store(four_records) as store:
        prediction = store.predictions["ss3"]
        assert prediction.attrs["classes"] == ["H", "E", "C"]
        assert np.shape(prediction[0]) == (3, 3)
        with pytest.raises(StoreError, match="no embedding 'max'; it has: mean, residue"):
            store["max"]


def test_info_sums_the_store_up(four_records: Path) -> None:
    with open_store(four_records) as store:
        info = store.info()
        assert (info["num_records"], info["num_sequences"], info["num_failures"]) == (6, 3, 1)
        assert store.provenance == {"command": "worker"}
        assert store.settings["model"] == "worker"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "does not exist"),
        (b"", "not a readable HDF5"),
        (b">a\nACD\n", "not a readable HDF5"),
        ("truncated", "not a readable HDF5"),
        ("foreign", "not a bioseq store"),
        ("newer", "format version 3; update bioseq"),
        ("incomplete", "not complete"),
    ],
)
def test_what_is_not_a_good_store_is_refused(
    small_store: Path, tmp_path: Path, content: bytes | str | None, message: str
) -> None:
    path = tmp_path / "bad.h5"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content == "truncated":
        path.write_bytes(small_store.read_bytes()[:-100])
    elif content is not None:
        path.write_bytes(small_store.read_bytes())
        with h5py.File(path, "a") as file:
            if content == "foreign":
                del file.attrs["format"]
            file.attrs["format_version"] = 3 if content == "newer" else 1
            file.attrs["complete"] = content != "incomplete"
    with pytest.raises(StoreError, match=message):
        open_store(path)


def test_reading_and_writing_need_no_file_lock(
    worker: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = []
    real = h5py.File

    class Recorded(real):
        def __init__(self, *arguments: object, **options: object) -> None:
            by_path = isinstance(arguments[0], str | Path)
            opened.append((arguments[1], options.get("locking") if by_path else "not by HDF5"))
            super().__init__(*arguments, **options)  # pyright: ignore[reportArgumentType]

    monkeypatch.setattr(h5py, "File", Recorded)
    path = worker.run(tmp_path / "out.h5", worker.records_of(0, 9), 4)
    merge_stores([path], tmp_path / "merged.h5")
    open_store(path).close()
    assert set(opened) == {("w", "not by HDF5"), ("r", False)}


def test_a_store_that_another_process_has_locked_can_be_read(small_store: Path) -> None:
    with small_store.open("rb") as locked:
        fcntl.flock(locked, fcntl.LOCK_EX)
        with open_store(small_store) as store:
            assert len(store) == 60


def test_iteration_takes_little_memory(tmp_path: Path) -> None:
    count, length, dim = 400, 500, 256
    offsets = np.arange(count + 1, dtype=np.int64) * length
    work = UnfinishedWork.open_or_create(tmp_path / "big.h5", {}, {})
    work.write(
        Block(
            ids=[str(i) for i in range(count)],
            descriptions=[""] * count,
            rows=np.arange(count),
            digests=[refget_digest(str(i)) for i in range(count)],
            lengths=np.full(count, length, np.uint32),
            values={"residue": Ragged(np.ones((count * length, dim), np.float32), offsets)},
        )
    )
    path = work.assemble({})
    slab, largest = columns_module.SLAB_BYTES, 0
    with open_store(path) as store:
        view = store["residue"]
        for _, value in view:
            base = value.base if value.base is not None else value
            largest = max(largest, base.nbytes)  # pyright: ignore[reportAttributeAccessIssue]
    assert path.stat().st_size > 10 * slab
    assert largest <= slab


def test_the_content_digest_ignores_time_and_parts_but_no_value(
    worker: ModuleType, tmp_path: Path
) -> None:
    records = worker.records_of(5, 50)
    paths = [worker.run(tmp_path / f"{size}.h5", records, size) for size in (7, 50)]
    other = worker.run(tmp_path / "other.h5", records[:-1], 50)
    digests = []
    for path in (*paths, other):
        with open_store(path) as store:
            digests.append(content_digest(store))
    assert digests[0] == digests[1] != digests[2]
