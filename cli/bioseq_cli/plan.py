"""`bioseq plan`."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bioseq_cli.options import (
    embedding_options,
    given_settings,
    inputs_argument,
    options_from,
)

if TYPE_CHECKING:
    from bioseq.prediction.tasks import TaskOptions
    from bioseq.shards import ShardPlan


@click.command()
@inputs_argument
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(path_type=Path),
    help="Plan to write, a Parquet file.",
)
@click.option(
    "--shards",
    type=click.IntRange(min=1),
    help="Number of shards.  [default: of half an hour each, at most 1,000]",
)
@click.option(
    "--rate",
    type=click.FloatRange(min=0, min_open=True),
    help="Operations a second of the machines to be used.  [default: measured on this one]",
)
@click.option(
    "--task",
    help="Divide the predictions of a task ('all' for all that are bundled, or a predictor's "
    "folder) in place of an embedding.",
)
@embedding_options
def plan(
    inputs: tuple[str, ...],
    output: Path,
    shards: int | None,
    rate: float | None,
    task: str | None,
    **options: Any,
) -> None:
    """Divide the embedding of the INPUT files into shards of equal predicted cost.

    Each shard is then computed anywhere with 'bioseq embed --plan PLAN --shard K', with --task by
    'bioseq predict TASK --plan PLAN --shard K', and all of them are joined with 'bioseq store
    merge'. Shards of plain and bgzip FASTA read their part only.
    """
    from bioseq.shards import plan_shards

    planned = options_from(options) if task is None else _task_options(task, options)
    found = plan_shards(inputs, output, planned, num_shards=shards, flops_per_second=rate)
    for name, text in describe_plan(found).items():
        click.echo(f"{name:>9}  {text}")


def _task_options(task: str, options: dict[str, Any]) -> TaskOptions:
    from bioseq.prediction.tasks import TaskOptions

    shared = {field.name for field in fields(TaskOptions)}
    if foreign := list(given_settings(except_for=shared)):
        problem = f"a task settles {', '.join(foreign)}; leave it out"
        raise click.UsageError(problem)
    given = {name: value for name, value in options.items() if name in shared}
    return TaskOptions(tasks=task, **given)


def describe_plan(plan: ShardPlan) -> dict[str, str]:
    """Sums a plan up in a few lines."""
    estimates = [shard.estimate for shard in plan.shards]
    seconds = [estimate.seconds for estimate in estimates]
    sizes = [shard.num_records for shard in plan.shards]
    residues = sum(shard.num_residues for shard in plan.shards)
    longest = max(shard.longest for shard in plan.shards)
    return {
        "records": f"{plan.num_records:,} ({residues:,} residues, the longest {longest:,})",
        "shards": f"{len(plan.shards):,} of {min(sizes):,} to {max(sizes):,} records",
        "time": f"{_duration(min(seconds))} to {_duration(max(seconds))} each, "
        f"{_duration(sum(seconds))} together, at {plan.flops_per_second:.2e} operations/s",
        "memory": f"{max(estimate.memory_mb for estimate in estimates):,} MB each",
        "disk": f"{sum(estimate.disk_mb for estimate in estimates):,} MB together",
        "file": str(plan.path),
    }


def _duration(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.0f} s"
    if seconds < 6000:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
