"""Values of pairs of residues are squares again when they are read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import h5py
import numpy as np
import pytest

from bioseq.errors import OptionError, StoreError
from bioseq.records import refget_digest
from bioseq.store import (
    Block,
    Pairs,
    Ragged,
    UnfinishedWork,
    check_store,
    content_digest,
    merge_stores,
    open_store,
)
from bioseq.store.layouts import export_store

FROZEN_DIGEST = "a14cfe0ea098f82e7844cfab27f9599829ad3c075d84e1bb150d269db0387168"
LENGTHS = (3, 1, 0, 5, 4)


def squares_of(lengths: Sequence[int], dim: int = 1) -> list[np.ndarray]:
    rng = np.random.default_rng(7)
    shapes = [(n, n) if dim == 1 else (n, n, dim) for n in lengths]
    return [rng.random(shape).astype(np.float16) for shape in shapes]


def block_of(first: int, squares: Sequence[np.ndarray], dim: int) -> Block:
    ids = [f"r{first + i}" for i in range(len(squares))]
    return Block(
        ids=ids,
        descriptions=[""] * len(ids),
        rows=np.arange(first, first + len(ids)),
        digests=[refget_digest(id_) for id_ in ids],
        lengths=np.array([len(square) for square in squares], np.uint32),
        predictions={"contacts": Pairs.join(squares, dim=dim, dtype="float16")},
    )


def write(path: Path, *parts: Sequence[np.ndarray], dim: int = 1, first: int = 0) -> Path:
    attributes = {"predictions/contacts": {"model": "m", "version": "1"}}
    work = UnfinishedWork.open_or_create(path, {"a": 1}, {}, attributes=attributes)
    for squares in parts:
        work.write(block_of(first, squares, dim))
        first += len(squares)
    return work.assemble({})


@pytest.mark.parametrize("dim", [1, 2])
def test_squares_are_read_back_as_they_were_written(tmp_path: Path, dim: int) -> None:
    squares = squares_of(LENGTHS, dim)
    path = write(tmp_path / "out.h5", squares[:2], squares[2:], dim=dim)
    assert check_store(path) == []
    with open_store(path) as store:
        view = store.predictions["contacts"]
        assert (view.is_per_pair, view.is_per_residue, view.dim) == (True, False, dim)
        assert store.info()["format_version"] == 2
        for index, square in enumerate(squares):
            np.testing.assert_array_equal(view[index], square)
        for read in (view[:], view.to_numpy(), [value for _, value in view]):
            for value, square in zip(read, squares, strict=True):
                np.testing.assert_array_equal(value, square)


def test_a_file_without_pairs_stays_at_version_1(small_store: Path) -> None:
    with h5py.File(small_store) as file:
        assert file.attrs["format_version"] == 1


def test_a_merged_store_holds_the_squares_of_all(tmp_path: Path) -> None:
    squares = squares_of(LENGTHS)
    first = write(tmp_path / "a.h5", squares[:2])
    second = write(tmp_path / "b.h5", squares)
    merged = merge_stores([first, second], tmp_path / "m.h5")
    assert check_store(merged) == []
    with open_store(merged) as store:
        assert (len(store), store.num_sequences) == (7, 5)
        for index, square in enumerate([*squares[:2], *squares]):
            np.testing.assert_array_equal(store.predictions["contacts"][index], square)


def test_npz_has_the_rows_and_their_offsets(tmp_path: Path) -> None:
    squares = squares_of(LENGTHS)
    with open_store(write(tmp_path / "a.h5", squares)) as store:
        name = "predictions/contacts"
        path = export_store(store, tmp_path / "o.npz", layout="npz", name=name)
        for layout in ("parquet", "npy", "anndata"):
            with pytest.raises(OptionError, match="contacts"):
                export_store(store, tmp_path / "o", layout=layout, name=name)
    with np.load(path) as file:
        start, stop = file["offsets"][3:5]
        np.testing.assert_array_equal(file["values"][start:stop].reshape(5, 5), squares[3])


def test_offsets_whose_steps_are_no_squares_are_refused() -> None:
    with pytest.raises(OptionError, match="squares"):
        Pairs(np.zeros((3, 1)), np.array([0, 1, 3]))


def test_residues_do_not_follow_pairs_in_one_work(tmp_path: Path) -> None:
    squares = squares_of(LENGTHS)
    work = UnfinishedWork.open_or_create(tmp_path / "o.h5", {}, {})
    work.write(block_of(0, squares[:1], 1))
    block = block_of(1, squares[1:2], 1)
    ragged = Ragged(np.zeros((1, 1), np.float16), np.array([0, 1]))
    work.write(
        Block(
            ids=block.ids,
            descriptions=block.descriptions,
            rows=block.rows,
            digests=block.digests,
            lengths=block.lengths,
            predictions={"contacts": ragged},
        )
    )
    with pytest.raises(StoreError, match=r"per residue.*per pair"):
        work.assemble({})


def damage(path: Path, name: str, value: object) -> list[str]:
    with h5py.File(path, "a") as file:
        group = file["predictions/contacts"] if name == "shape" else file
        group.attrs[name] = value
    return check_store(path)


def test_the_checker_names_a_broken_rule_of_pairs(tmp_path: Path) -> None:
    squares = squares_of(LENGTHS)
    assert "not 'pair'" in damage(write(tmp_path / "a.h5", squares), "shape", "square")[0]
    assert "version 2" in damage(write(tmp_path / "b.h5", squares), "format_version", 1)[0]


def test_files_of_version_2_stay_readable(data_dir: Path) -> None:
    path = data_dir / "store-v2.h5"
    assert check_store(path) == []
    with open_store(path) as store:
        assert content_digest(store) == FROZEN_DIGEST
        for index, square in enumerate(squares_of(LENGTHS)):
            np.testing.assert_array_equal(store.predictions["contacts"][index], square)
