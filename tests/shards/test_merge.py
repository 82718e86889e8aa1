"""Shards made anywhere and merged are one run; what is not a plan's shard is named."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from bioseq.embedding import EmbedOptions, embed_files
from bioseq.errors import InputError, OtherInputError, PlanError, ShardError, StoreError
from bioseq.shards import (
    ShardPlan,
    compute_shard,
    merge_shards,
    plan_shards,
    read_plan,
    shard_path,
)
from bioseq.store import check_store, content_digest, open_store

RATE = 1e9  # measuring it takes seconds


@pytest.fixture
def shards(embedded: Path, tmp_path: Path) -> Path:
    """A folder with all shards."""
    return Path(shutil.copytree(embedded / "shards", tmp_path / "shards"))


@pytest.fixture
def whole(embedded: Path) -> Path:
    """The store of a single run."""
    return embedded / "whole.h5"


def digest_of(path: Path) -> str:
    assert check_store(path) == []
    with open_store(path) as store:
        return content_digest(store)


def test_merged_shards_have_the_content_of_a_single_run(
    plan: ShardPlan, shards: Path, whole: Path, tmp_path: Path
) -> None:
    merged = merge_shards(read_plan(plan.path), shards, tmp_path / "merged.h5")
    assert digest_of(merged) == digest_of(whole)
    with open_store(merged) as store:
        assert store.provenance["plan"] == plan.digest
        assert len(store.failures) == 2


def test_with_full_batches_values_differ_by_rounding_only(
    plan: ShardPlan, whole: Path, tmp_path: Path
) -> None:
    for shard in plan.shards:
        compute_shard(plan, shard.number, shard_path(tmp_path / "full", shard.number)).close()
    merged = merge_shards(plan, tmp_path / "full", tmp_path / "merged.h5")
    with open_store(merged) as ours, open_store(whole) as theirs:
        assert ours.records.equals(theirs.records)
        assert ours.failures.equals(theirs.failures)
        for name in ("mean", "residue"):
            for a, b in zip(ours[name].distinct(0, 38), theirs[name].distinct(0, 38), strict=True):
                np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


def test_missing_shards_are_named(plan: ShardPlan, shards: Path, tmp_path: Path) -> None:
    shard_path(shards, 2).unlink()
    shard_path(shards, 4).unlink()
    with pytest.raises(ShardError) as caught:
        merge_shards(plan, shards, tmp_path / "merged.h5")
    assert list(caught.value.problems) == [str(shard_path(shards, k)) for k in (2, 4)]
    assert "shard-00002.h5 (shard 2 of 4) is missing" in str(caught.value)
    assert not (tmp_path / "merged.h5").exists()


def test_a_damaged_shard_is_named(plan: ShardPlan, shards: Path, tmp_path: Path) -> None:
    path = shard_path(shards, 3)
    damaged = bytearray(path.read_bytes())
    damaged[damaged.index(b"number 25")] ^= 1
    path.write_bytes(damaged)
    with pytest.raises(ShardError, match=r"shard 3 of 4\) .*checksum differs.*delete it"):
        merge_shards(plan, shards, tmp_path / "merged.h5")
    path.write_bytes(damaged[:100])
    with pytest.raises(ShardError, match=r"00003.h5 \(shard 3 of 4\) .*delete it"):
        merge_shards(plan, shards, tmp_path / "merged.h5")


def test_a_shard_of_another_model_is_named(
    plan: ShardPlan, shards: Path, fasta: Path, tiny_lstm: Path, tmp_path: Path
) -> None:
    foreign = plan_shards(
        fasta,
        tmp_path / "o.parquet",
        EmbedOptions(model=tiny_lstm, per_residue=True),
        num_shards=4,
        flops_per_second=RATE,
    )
    compute_shard(foreign, 1, shard_path(shards, 1), overwrite=True).close()
    with pytest.raises(ShardError, match=r"shard 1 of 4\) .*another model .*weights_sha256 is"):
        merge_shards(plan, shards, tmp_path / "merged.h5")


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ("input", "was made from another input"),
        ("shards", "was made by another plan, of 5 shards"),
        ("number", "holds shard 1"),
        ("no shard", "is a store, but not a shard of any plan"),
    ],
)
def test_a_shard_of_another_input_or_place_is_named(
    change: str,
    found: str,
    plan: ShardPlan,
    shards: Path,
    fasta: Path,
    options: EmbedOptions,
    tmp_path: Path,
) -> None:
    path = shard_path(shards, 2)
    if change == "number":
        path.write_bytes(shard_path(shards, 1).read_bytes())
    elif change == "no shard":
        embed_files(fasta, path, options, overwrite=True).close()
    else:
        if change == "input":
            fasta.write_text(fasta.read_text().replace("number 9", "number nine"))
        count = 5 if change == "shards" else 4
        foreign = plan_shards(
            fasta, tmp_path / "o.parquet", options, num_shards=count, flops_per_second=RATE
        )
        compute_shard(foreign, 2, path, overwrite=True).close()
    with pytest.raises(ShardError, match=rf"00002.h5 \(shard 2 of 4\) {found}"):
        merge_shards(plan, shards, tmp_path / "merged.h5")


def test_a_shard_whose_records_were_exchanged_is_named(
    plan: ShardPlan, shards: Path, tmp_path: Path
) -> None:
    path = shard_path(shards, 1)
    with h5py.File(path, "r") as file:
        provenance = file.attrs["provenance"]
    other = shard_path(shards, 2)
    with h5py.File(other, "a") as file:
        file.attrs["provenance"] = provenance
    path.write_bytes(other.read_bytes())
    with pytest.raises(ShardError, match=r"shard 1 of 4\) holds (other|\d+) records"):
        merge_shards(plan, shards, tmp_path / "merged.h5")


def test_an_existing_output_is_protected(plan: ShardPlan, shards: Path, tmp_path: Path) -> None:
    output = tmp_path / "merged.h5"
    output.write_text("mine")
    with pytest.raises(StoreError, match="exists; choose another name"):
        merge_shards(plan, shards, output)


def test_an_input_that_changed_since_it_was_planned_is_refused(
    plan: ShardPlan, fasta: Path, tmp_path: Path
) -> None:
    text = fasta.read_text()
    fasta.write_text(text + ">more\nMKV\n")
    with pytest.raises(InputError, match=r"input.fasta: has .* bytes, but .*plan again"):
        compute_shard(plan, 1, tmp_path / "s.h5")
    fasta.write_text(text.replace("number 0", "NUMBER 0", 1))
    with pytest.raises(InputError, match=r"its records are not those of .*plan again"):
        compute_shard(plan, 1, tmp_path / "s.h5")
    assert not (tmp_path / "s.h5").exists()


def test_a_model_that_changed_since_it_was_planned_is_refused(
    plan: ShardPlan, tiny_lstm: Path, tmp_path: Path
) -> None:
    changed = replace(plan, options={**plan.options, "model": str(tiny_lstm)})
    with pytest.raises(PlanError, match=r"with another model or predictor \(encoder was"):
        compute_shard(changed, 1, tmp_path / "s.h5")


def test_there_is_no_shard_beyond_the_last(plan: ShardPlan, tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="has the shards 1 to 4, not 5"):
        compute_shard(plan, 5, tmp_path / "s.h5")


def test_unfinished_work_of_an_older_plan_is_thrown_away(
    plan: ShardPlan,
    fasta: Path,
    options: EmbedOptions,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    output = tmp_path / "s.h5"
    older = plan_shards(fasta, tmp_path / "o.parquet", options, num_shards=2, flops_per_second=RATE)
    with monkeypatch.context() as patch:
        patch.setattr("bioseq.store.UnfinishedWork.assemble", interrupt)
        with pytest.raises(KeyboardInterrupt):
            compute_shard(older, 2, output)
    assert (tmp_path / "s.h5.parts").is_dir()
    with compute_shard(plan, 2, output) as store:
        assert len(store) == plan.shard(2).num_records
    with pytest.raises(OtherInputError, match="exists, made from another input"):
        compute_shard(plan, 3, output)


def interrupt(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_a_killed_shard_goes_on_behind_its_last_block(
    plan: ShardPlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bioseq.embedding.job.BLOCK_RECORDS", 3)
    output = tmp_path / "s.h5"
    with monkeypatch.context() as patch:
        patch.setattr("bioseq.store.UnfinishedWork.assemble", interrupt)
        with pytest.raises(KeyboardInterrupt):
            compute_shard(plan, 1, output)
    parts = sorted((tmp_path / "s.h5.parts").glob("part-*"))
    assert len(parts) > 2
    parts[-1].unlink()
    seen = []
    compute_shard(plan, 1, output, progress=Recorder(seen)).close()
    assert seen == [3 * (len(parts) - 1)]


class Recorder:
    """Notes how many records were done when a run began."""

    def __init__(self, seen: list[int]) -> None:
        self._seen = seen

    def begin(self, *, models: object, device: str, done_records: int, is_finished: bool) -> None:
        self._seen.append(done_records)

    def advance(self, *, residues: int, fraction: float | None) -> None:
        pass
