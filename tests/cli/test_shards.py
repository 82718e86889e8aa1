"""`bioseq plan`, `bioseq embed --plan`, `bioseq predict --plan` and `bioseq store merge --plan`."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

FASTA = "".join(f">r{i}\n{'MKVLAW' * (1 + i % 3)}\n" for i in range(9)) + ">bad\nMK!\n"


@pytest.fixture
def plan(bioseq: Callable[..., Any], tiny_lstm: Path, tmp_path: Path) -> Path:
    """Three shards."""
    (tmp_path / "in.fasta").write_text(FASTA)
    path = tmp_path / "plan.parquet"
    options = ("--shards", 3, "--rate", 1e9, "--model", tiny_lstm)
    found = bioseq("plan", tmp_path / "in.fasta", "-o", path, *options)
    assert found.status == 0, found.err
    assert "10 (" in found.out
    assert re.search(r"shards  3 of \d to \d records", found.out)
    return path


def test_planned_shards_are_embedded_and_merged(
    bioseq: Callable[..., Any], plan: Path, tmp_path: Path
) -> None:
    statuses = [
        bioseq("embed", "--plan", plan, "--shard", k, "-o", tmp_path / f"s/shard-0000{k}.h5").status
        for k in (1, 2, 3)
    ]
    assert statuses == [0, 0, 3]
    merged = bioseq("store", "merge", tmp_path / "s", "--plan", plan, "-o", tmp_path / "all.h5")
    assert merged.status == 0, merged.err
    assert "10 records of 3 stores" in merged.out


def test_a_missing_shard_is_one_line(
    bioseq: Callable[..., Any], plan: Path, tmp_path: Path
) -> None:
    (tmp_path / "s").mkdir()
    merged = bioseq("store", "merge", tmp_path / "s", "--plan", plan, "-o", tmp_path / "all.h5")
    assert merged.status == 1
    assert merged.err.count("\n") == 1
    assert "shard-00001.h5 (shard 1 of 3) is missing" in merged.err


def test_planned_predictions_are_made_and_merged(
    bioseq: Callable[..., Any], plan: Path, tmp_path: Path
) -> None:
    given = ("--shards", 2, "--rate", 1e9, "--task", "disorder")
    path = tmp_path / "tasks.parquet"
    assert bioseq("plan", tmp_path / "in.fasta", "-o", path, *given).status == 0
    for number, status in ((1, 0), (2, 3)):
        output = tmp_path / f"p/shard-0000{number}.h5"
        made = bioseq("predict", "disorder", "--plan", path, "--shard", number, "-o", output)
        assert made.status == status, made.err
    merged = bioseq("store", "merge", tmp_path / "p", "--plan", path, "-o", tmp_path / "all.h5")
    assert merged.status == 0, merged.err
    whole = ("predict", "disorder", tmp_path / "in.fasta", "--export", tmp_path / "all.csv")
    again = bioseq(*whole, "-o", tmp_path / "all.h5")
    assert again.status == 3, again.err  # the merged store is a finished run: nothing is computed
    assert len((tmp_path / "all.csv").read_text().splitlines()) == 11


@pytest.mark.parametrize(
    ("command", "found"),
    [
        (("embed",), "was made for: bioseq predict disorder"),
        (("predict", "topology"), "was made for: bioseq predict disorder"),
        (("predict", "disorder", "--precision", "float16"), "leave out: --precision"),
    ],
)
def test_a_plan_of_predictions_is_for_one_task(
    bioseq: Callable[..., Any], plan: Path, tmp_path: Path, command: tuple, found: str
) -> None:
    path = tmp_path / "tasks.parquet"
    given = ("--shards", 2, "--rate", 1e9, "--task", "disorder")
    assert bioseq("plan", tmp_path / "in.fasta", "-o", path, *given).status == 0
    outcome = bioseq(*command, "--plan", path, "--shard", 1, "-o", tmp_path / "x.h5")
    assert outcome.status == 1
    assert found in outcome.err


def test_a_task_settles_what_is_pooled(
    bioseq: Callable[..., Any], plan: Path, tmp_path: Path
) -> None:
    given = ("--task", "disorder", "--pool", "max")
    outcome = bioseq("plan", tmp_path / "in.fasta", "-o", tmp_path / "t.parquet", *given)
    assert outcome.status == 1
    assert "a task settles --pool; leave it out" in outcome.err


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (("--plan", "{plan}"), "--plan and --shard go together"),
        (("--shard", 1, "x.fasta"), "--plan and --shard go together"),
        ((), "Missing argument 'INPUT...'"),
        (("--plan", "{plan}", "--shard", 1, "x.fasta"), "leave out: x.fasta"),
        (("--plan", "{plan}", "--shard", 1, "--pool", "max"), "leave out: --pool"),
        (("--plan", "{plan}", "--shard", 4), "has the shards 1 to 3, not 4"),
    ],
)
def test_what_does_not_go_with_a_plan_is_named(
    bioseq: Callable[..., Any], plan: Path, tmp_path: Path, arguments: tuple, found: str
) -> None:
    given = [str(argument).format(plan=plan) for argument in arguments]
    outcome = bioseq("embed", *given, "-o", tmp_path / "x.h5")
    assert outcome.status == 1
    assert found in outcome.err


def test_merging_by_a_plan_wants_the_folder(
    bioseq: Callable[..., Any], plan: Path, tmp_path: Path
) -> None:
    outcome = bioseq("store", "merge", plan, "--plan", plan, "-o", tmp_path / "all.h5")
    assert outcome.status == 1
    assert "STORE is one folder" in outcome.err
