"""Planned predictions: shards made anywhere and merged are one run."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from bioseq.errors import PlanError
from bioseq.prediction.tasks import TaskOptions, predict_files
from bioseq.prediction.tasks.job import TaskJob
from bioseq.shards import ShardPlan, compute_shard, merge_shards, plan_shards, read_plan, shard_path
from bioseq.store import check_store, content_digest, open_store

RATE = 1e9  # measuring it takes seconds
# Two read one encoder, the whole sequence and its beginning; the third has its own.
TASKS = ("disorder", "signal-peptide", "secondary-structure")
OPTIONS = TaskOptions(tasks=TASKS, tokens_per_batch=1)


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> ShardPlan:
    """Three shards of proteins of which one repeats and one can't be computed."""
    folder = tmp_path_factory.mktemp("predictions")
    chance = random.Random(3)
    found = ["".join(chance.choices("ACDEFGHIKLMNPQRSTVWY", k=9 * k + 20)) for k in range(9)]
    sequences = [*found, "MK!V", found[2]]
    text = "".join(f">r{i}\n{sequence}\n" for i, sequence in enumerate(sequences))
    (folder / "input.fasta").write_text(text)
    return plan_shards(
        folder / "input.fasta",
        folder / "plan.parquet",
        OPTIONS,
        num_shards=3,
        flops_per_second=RATE,
    )


def test_merged_predictions_have_the_content_of_a_single_run(
    plan: ShardPlan, tmp_path: Path
) -> None:
    for shard in plan.shards:
        path = shard_path(tmp_path / "shards", shard.number)
        compute_shard(read_plan(plan.path), shard.number, path, tokens_per_batch=1).close()
    merged = merge_shards(plan, tmp_path / "shards", tmp_path / "merged.h5")
    predict_files(plan.path.with_name("input.fasta"), tmp_path / "whole.h5", OPTIONS).close()
    assert check_store(merged) == []
    with open_store(merged) as ours, open_store(tmp_path / "whole.h5") as theirs:
        assert set(TASKS) <= set(ours.predictions)
        assert content_digest(ours) == content_digest(theirs)


def test_heads_count_in_the_cost_and_their_values_in_the_disk(plan: ShardPlan) -> None:
    embedding = plan_shards(
        plan.path.with_name("input.fasta"),
        plan.path.with_name("embedding.parquet"),
        num_shards=3,
        flops_per_second=RATE,
    )
    assert [s.num_residues for s in plan.shards] == [s.num_residues for s in embedding.shards]
    assert all(a.flops > b.flops for a, b in zip(plan.shards, embedding.shards, strict=True))
    assert plan.digest != embedding.digest


def test_more_shards_do_not_ask_more_of_the_predictors(
    plan: ShardPlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    build = TaskJob.engine
    monkeypatch.setattr(TaskJob, "engine", lambda job, cut: asked.append(1) or build(job, cut))
    counts = []
    for num_shards in (1, 9):
        asked.clear()
        plan_shards(
            plan.path.with_name("input.fasta"),
            tmp_path / "plan.parquet",
            OPTIONS,
            num_shards=num_shards,
            flops_per_second=RATE,
        )
        counts.append(len(asked))
    assert counts[0] == counts[1]


def test_a_predictor_that_changed_since_it_was_planned_is_refused(
    plan: ShardPlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "bioseq.prediction.tasks.job.TaskJob.settings", lambda _: {"predictors": {}}
    )
    with pytest.raises(PlanError, match=r"another model or predictor \(.*predictors was"):
        compute_shard(plan, 1, tmp_path / "s.h5")
