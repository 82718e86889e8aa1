"""A plan says which records each shard holds and what it takes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from Bio import bgzf

from bioseq.embedding import EmbedOptions
from bioseq.errors import FormatError, InputError, OptionError, PlanError
from bioseq.io import RecordRange, open_range, open_records
from bioseq.records import Record
from bioseq.shards import ShardPlan, plan_shards, read_plan

RATE = 1e9  # measuring it takes seconds


def read(part: RecordRange) -> list[Record]:
    with open_range(part) as reader:
        return list(reader)


def read_all(path: Path) -> list[Record]:
    with open_records(path) as reader:
        return list(reader)


def test_the_shards_hold_every_record_once_in_order(plan: ShardPlan, fasta: Path) -> None:
    found = []
    for shard in plan.shards:
        assert shard.first_record == len(found)
        for part in shard.ranges:
            found += read(part)
        assert shard.num_records == len(found) - shard.first_record
    assert found == read_all(fasta)


def test_a_plan_is_read_as_it_was_written(plan: ShardPlan) -> None:
    assert read_plan(plan.path) == plan
    table = pl.read_parquet(plan.path)
    assert table["num_records"].sum() == 42
    assert {"seconds", "memory_mb", "disk_mb", "flops"} <= set(table.columns)


def test_shards_may_go_over_the_bounds_of_files(
    fasta: Path, options: EmbedOptions, tmp_path: Path
) -> None:
    text = fasta.read_text()
    files = [tmp_path / f"{name}.fasta" for name in "abc"]
    middle = text.index(">r20")
    for path, part in zip(files, (text[:middle], "", text[middle:]), strict=True):
        path.write_text(part)
    plan = plan_shards(files, tmp_path / "p.parquet", options, num_shards=3, flops_per_second=RATE)
    assert [len(shard.ranges) for shard in plan.shards] == [1, 2, 1]
    found = [record for s in plan.shards for part in s.ranges for record in read(part)]
    assert found == read_all(fasta)


@pytest.mark.parametrize("kind", ["plain", "bgzip"])
def test_a_shard_of_an_indexed_file_does_not_read_what_is_before(
    kind: str, fasta: Path, options: EmbedOptions, tmp_path: Path
) -> None:
    text = fasta.read_bytes()
    path = tmp_path / "x.fasta"
    if kind == "bgzip":
        with bgzf.BgzfWriter(str(path)) as file:
            for start in range(0, len(text), 500):
                file.write(text[start : start + 500])
                file.flush()
    else:
        path.write_bytes(text)
    plan = plan_shards(path, tmp_path / "p.parquet", options, num_shards=4, flops_per_second=RATE)
    last = plan.shards[-1].ranges[0]
    assert last.offset is not None
    start = last.offset >> 16 if kind == "bgzip" else last.offset
    expected = read(last)
    damaged = bytearray(path.read_bytes())
    damaged[18:start] = b"~" * (start - 18)  # behind the bytes that tell the compression
    path.write_bytes(damaged)
    assert read(last) == expected


def test_the_boundaries_do_not_depend_on_the_rate(
    plan: ShardPlan, fasta: Path, options: EmbedOptions, tmp_path: Path
) -> None:
    other = plan_shards(
        fasta, tmp_path / "o.parquet", options, num_shards=4, flops_per_second=RATE / 2
    )
    assert other.digest == plan.digest
    slower, faster = (sum(shard.estimate.seconds - 10 for shard in p.shards) for p in (other, plan))
    assert slower == pytest.approx(2 * faster)


@pytest.mark.parametrize("change", ["input", "pool", "shards"])
def test_another_plan_has_another_digest(
    change: str, plan: ShardPlan, fasta: Path, options: EmbedOptions, tmp_path: Path
) -> None:
    if change == "input":
        fasta.write_text(fasta.read_text().replace("number 9", "number nine"))
    if change == "pool":
        options = replace(options, pool="max")
    count = 5 if change == "shards" else 4
    other = plan_shards(
        fasta, tmp_path / "o.parquet", options, num_shards=count, flops_per_second=RATE
    )
    assert other.digest != plan.digest
    assert (other.input_digest != plan.input_digest) == (change == "input")


def test_an_empty_input_gives_empty_shards(options: EmbedOptions, tmp_path: Path) -> None:
    path = tmp_path / "empty.fasta"
    path.touch()
    plan = plan_shards(path, tmp_path / "p.parquet", options, num_shards=2, flops_per_second=RATE)
    assert [shard.num_records for shard in plan.shards] == [0, 0]


def test_without_a_number_small_inputs_are_one_shard_and_the_rate_is_measured(
    fasta: Path, options: EmbedOptions, tmp_path: Path
) -> None:
    plan = plan_shards(fasta, tmp_path / "p.parquet", options)
    assert len(plan.shards) == 1
    assert 1e5 < plan.flops_per_second < 1e14


def test_what_can_not_be_planned_is_named(
    fasta: Path, options: EmbedOptions, tmp_path: Path
) -> None:
    def plan(*paths: object, **more: float) -> ShardPlan:
        names = [str(path) for path in paths]
        return plan_shards(names, tmp_path / "p.parquet", options, **{"num_shards": 2} | more)  # pyright: ignore[reportArgumentType]

    with pytest.raises(OptionError, match="shards is 0"):
        plan(fasta, num_shards=0)
    with pytest.raises(OptionError, match=r"rate is -1.0"):
        plan(fasta, flops_per_second=-1.0)
    with pytest.raises(InputError, match=r"none.fasta: no such file"):
        plan(tmp_path / "none.fasta")
    broken = tmp_path / "broken.fasta"
    broken.write_text("text\n>a\nMKV\n")
    with pytest.raises(FormatError, match=r"broken.fasta"):
        plan(fasta, broken)


def test_a_file_that_is_no_plan_is_named(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match=r"none.parquet: does not exist"):
        read_plan(tmp_path / "none.parquet")
    other = tmp_path / "other.parquet"
    other.write_bytes(b"nothing")
    with pytest.raises(PlanError, match="is not a readable Parquet file"):
        read_plan(other)
    pl.DataFrame({"a": [1]}).write_parquet(other)
    with pytest.raises(PlanError, match="is a Parquet file but no plan"):
        read_plan(other)
