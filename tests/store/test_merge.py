"""Merging shards is the same as one run."""

from __future__ import annotations

import tempfile
from pathlib import Path
from types import ModuleType

import h5py
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bioseq.errors import OptionError, StoreError
from bioseq.store import UnfinishedWork, check_store, content_digest, merge_stores, open_store


def digest_of(path: Path) -> str:
    assert check_store(path) == []
    with open_store(path) as store:
        return content_digest(store)


@settings(max_examples=8)
@given(
    seed=st.integers(0, 99),
    cuts=st.lists(st.integers(0, 50), min_size=1, max_size=3).map(sorted),
)
def test_merged_shards_equal_one_run_over_the_whole_input(
    worker: ModuleType, seed: int, cuts: list[int]
) -> None:
    records = worker.records_of(seed, 50)
    bounds = zip([0, *cuts], [*cuts, 50], strict=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        whole = worker.run(folder / "whole.h5", records, 50)
        shards = [
            worker.run(folder / f"{i}.h5", records[start:stop], 13)
            for i, (start, stop) in enumerate(bounds)
        ]
        merged = merge_stores(shards, folder / "merged.h5")
        assert digest_of(merged) == digest_of(whole)
        nested = merge_stores(shards[:2], folder / "nested.h5")
        again = merge_stores([nested, *shards[2:]], folder / "again.h5")
        assert digest_of(again) == digest_of(whole)


def test_merging_one_store_changes_nothing(small_store: Path, tmp_path: Path) -> None:
    merged = merge_stores([small_store], tmp_path / "new" / "merged.h5", provenance={"by": "me"})
    assert digest_of(merged) == digest_of(small_store)
    with open_store(merged) as store:
        assert store.provenance == {"merged": [str(small_store)], "by": "me"}


def test_the_store_with_other_settings_is_named(
    worker: ModuleType, small_store: Path, tmp_path: Path
) -> None:
    work = UnfinishedWork.open_or_create(
        tmp_path / "other.h5", worker.SETTINGS | {"layer": 9}, {}, attributes=worker.ATTRIBUTES
    )
    work.write(worker.block_of(worker.records_of(2, 5), 0, {}))
    other = work.assemble({})
    with pytest.raises(StoreError, match=r"other.h5: can't be merged .* layer is 9 and there 3"):
        merge_stores([small_store, other], tmp_path / "merged.h5")
    assert not (tmp_path / "merged.h5").exists()


def test_stores_with_other_values_are_not_merged(
    worker: ModuleType, small_store: Path, tmp_path: Path
) -> None:
    work = UnfinishedWork.open_or_create(tmp_path / "other.h5", worker.SETTINGS, {})
    other = work.assemble({})
    with pytest.raises(StoreError, match="embeddings/mean is None"):
        merge_stores([small_store, other], tmp_path / "merged.h5")


def test_a_damaged_or_unfinished_shard_stops_the_merge(
    worker: ModuleType, small_store: Path, tmp_path: Path
) -> None:
    other = worker.run(tmp_path / "other.h5", worker.records_of(7, 20), 9)
    with h5py.File(other, "a") as file:
        file.attrs["complete"] = False
    with pytest.raises(StoreError, match=r"other.h5: is not complete"):
        merge_stores([small_store, other], tmp_path / "merged.h5")
    damaged = bytearray(small_store.read_bytes())
    damaged[damaged.index("number 10 ü".encode())] ^= 1
    other.write_bytes(damaged)
    with pytest.raises(StoreError, match=r"other.h5: .*checksum differs"):
        merge_stores([small_store, other], tmp_path / "merged.h5")
    with pytest.raises(StoreError, match=r"missing.h5: does not exist"):
        merge_stores([small_store, tmp_path / "missing.h5"], tmp_path / "merged.h5")
    assert not (tmp_path / "merged.h5").exists()


def test_the_same_store_twice_nothing_and_an_existing_output_are_refused(
    small_store: Path, tmp_path: Path
) -> None:
    with pytest.raises(StoreError, match="is given twice"):
        merge_stores([small_store, small_store], tmp_path / "merged.h5")
    with pytest.raises(OptionError, match="one or more"):
        merge_stores([], tmp_path / "merged.h5")
    with pytest.raises(StoreError, match="exists; choose another name"):
        merge_stores([small_store], small_store)
