"""The checker finds each violation of the specification."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from bioseq.store import check_store, content_digest, open_store
from bioseq.store.columns import CHECKSUM, checksum_of, dataset_at, read_numbers, read_slab

FROZEN_DIGEST = "7ceaa8e1cd6a89ae75108ed5a26ff33fb4e8c567e79df99d80b23d0617a159c7"


def set_values(path: str, index: int | slice, value: object) -> Callable[[h5py.File], None]:
    """Changes an element and mends the checksum, so that only the rule is broken."""

    def change(file: h5py.File) -> None:
        dataset = dataset_at(file, path)
        dataset[index] = value
        elements = read_slab(dataset, 0, len(dataset))
        dataset.attrs[CHECKSUM] = np.uint32(checksum_of(elements))

    return change


def set_attribute(path: str, name: str, value: object) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        file[path].attrs[name] = value

    return change


def drop_attribute(path: str, name: str) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        del file[path].attrs[name]

    return change


def drop(path: str) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        del file[path]

    return change


def replace(path: str, data: np.ndarray) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        del file[path]
        file[path] = data
        file[path].attrs[CHECKSUM] = np.uint32(checksum_of(data))

    return change


VIOLATIONS = [
    (set_attribute("/", "format", "other"), "root attribute 'format' is 'other'"),
    (set_attribute("/", "format_version", 3), "'format_version' is 3"),
    (set_attribute("/", "complete", False), "'complete' is False"),
    (set_attribute("/", "digests", "md5"), "'digests' is 'md5'"),
    (set_attribute("/", "provenance", "[]"), "'provenance' is \\[\\], not dict"),
    (set_attribute("/", "provenance", "{"), "not JSON"),
    (drop_attribute("/", "created"), "'created' is None"),
    (drop_attribute("/", "bioseq_version"), "'bioseq_version' is None"),
    (drop_attribute("/", "fingerprint"), "'fingerprint' is None"),
    (drop("records/description"), "records/description is missing"),
    (drop("failures/digest"), "failures/digest is missing"),
    (replace("records/row", np.zeros(60, np.int32)), "records/row has type int32"),
    (replace("records/row", np.zeros((60, 1), np.int64)), "2 axes, not 1"),
    (replace("sequences/length", np.zeros(3, np.uint32)), "sequences/length has 3 rows"),
    (replace("records/id", np.array([b"a"] * 60)), "records/id has type"),
    (drop_attribute("embeddings/mean", "pooling"), "lacks the attribute 'pooling'"),
    (drop_attribute("predictions/ss3", "classes"), "lacks the attribute 'classes'"),
    (set_attribute("embeddings/mean", "fingerprint", "{}"), "another fingerprint"),
    (drop("embeddings/mean/values"), "embeddings/mean/values is missing"),
    (replace("embeddings/mean/values", np.zeros(3)), "not \\[N, D\\]"),
    (replace("embeddings/mean/values", np.zeros((3, 2), ">f4")), "little-endian"),
    (replace("embeddings/residue/offsets", np.zeros(3, np.int32)), "not a list of int64"),
    (drop_attribute("records/row", CHECKSUM), "checksum differs"),
    (set_attribute("embeddings/mean/values", CHECKSUM, np.uint32(1)), "checksum differs"),
    (set_values("records/row", 0, 999), "leaves the range"),
    (set_values("records/row", 0, -2), "leaves the range"),
    (set_values("records/row", 0, 5), "order of their first record"),
    (set_values("sequences/digest", 0, b"SQ.short"), "not a refget digest"),
    (set_values("sequences/digest", 0, b""), "not a refget digest"),
    (set_values("sequences/digest", slice(0, 2), b"SQ." + b"x" * 32), "1 digests occur more"),
    (set_values("failures/record", 0, 59), "does not list, in order"),
    (set_values("failures/id", 0, "other"), "failures/id differs"),
    (set_values("failures/reason", 0, ""), "no reason"),
    (set_values("embeddings/residue/offsets", 0, 1), "does not rise from 0"),
    (replace("embeddings/mean/values", np.zeros((3, 2))), "has 3 rows for"),
    (replace("embeddings/residue/offsets", np.zeros(3, np.int64)), "has 3 entries for"),
]


@pytest.mark.parametrize(("violate", "message"), VIOLATIONS, ids=[m for _, m in VIOLATIONS])
def test_a_planted_violation_is_found(
    small_store: Path, violate: Callable[[h5py.File], None], message: str
) -> None:
    assert check_store(small_store) == []
    with h5py.File(small_store, "a") as file:
        violate(file)
    problems = check_store(small_store)
    assert len(problems) >= 1
    with pytest.raises(AssertionError, match=message):
        raise AssertionError("\n".join(problems))


def test_a_sequence_without_a_record_is_found(small_store: Path) -> None:
    with h5py.File(small_store, "a") as file:
        rows = read_numbers(file, "records/row")
        set_values("records/row", slice(0, 60), np.where(rows == rows.max(), 0, rows))(file)
    assert any("belong to no record" in problem for problem in check_store(small_store))


def test_a_file_that_is_not_hdf5_is_a_problem_not_a_crash(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    path.write_text(">a\nACD\n")
    assert len(check_store(path)) == 1
    assert check_store(tmp_path / "missing.h5") == ["does not exist"]


def test_a_flipped_byte_of_a_value_is_found(small_store: Path) -> None:
    with open_store(small_store) as store:
        value = store["mean"][0]
    content = bytearray(small_store.read_bytes())
    content[content.index(np.asarray(value).tobytes())] ^= 4
    small_store.write_bytes(content)
    assert check_store(small_store) == [
        "/embeddings/mean/values: the checksum differs, the file is damaged"
    ]


def test_unknown_attributes_and_groups_are_allowed(small_store: Path) -> None:
    with h5py.File(small_store, "a") as file:
        file.attrs["laboratory"] = "ours"
        file["notes/text"] = "anything"
        file["embeddings/mean"].attrs["extra"] = 3
    assert check_store(small_store) == []


def test_the_first_file_of_version_1_stays_readable(data_dir: Path, tmp_path: Path) -> None:
    path = shutil.copy(data_dir / "store-v1.h5", tmp_path)
    assert check_store(path) == []
    with open_store(path) as store:
        assert content_digest(store) == FROZEN_DIGEST
        assert (len(store), store.num_sequences, len(store.failures)) == (12, 8, 2)
        assert store.ids[:3] == ["id0", "id1", "id2"]
        assert store.predictions["ss3"].attrs["classes"] == ["H", "E", "C"]
        assert store["mean"].dtype == np.float16
        assert store["residue"].is_per_residue
