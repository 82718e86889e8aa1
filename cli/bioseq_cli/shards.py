"""Shards of a plan, for the commands that compute them: their options, and the computing."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from bioseq_cli.options import given_settings

if TYPE_CHECKING:
    from bioseq.embedding import Progress
    from bioseq.shards.job import Purpose
    from bioseq.store import Store

Command = TypeVar("Command", bound=Callable[..., Any])

planned_inputs_argument = click.argument("inputs", nargs=-1, metavar="INPUT...")
_SHARD = (
    click.option(
        "--plan",
        type=click.Path(path_type=Path),
        help="Plan of shards; it names the inputs and what is done with them.",
    ),
    click.option("--shard", type=click.IntRange(min=1), help="Number of the plan's shard to do."),
)


def shard_options(command: Command) -> Command:
    """Adds the options that name a part of a planned input, in place of the input."""
    return reduce(lambda found, option: option(found), reversed(_SHARD), command)


def check_source(inputs: tuple[str, ...], plan: Path | None, shard: int | None) -> None:
    """Checks that there are either inputs or a planned shard, and no option that the plan settles.

    Raises:
        click.UsageError: something is missing, or too much.
    """
    settled = [*inputs, *given_settings()]
    problem = None
    if (plan is None) != (shard is None):
        problem = "--plan and --shard go together"
    elif plan is None and not inputs:
        problem = "Missing argument 'INPUT...'."
    elif plan is not None and settled:
        problem = f"{plan} says what is done and how; leave out: {' '.join(settled)}"
    if problem is not None:
        raise click.UsageError(problem)


def compute_planned(
    plan: Path,
    shard: int,
    output: Path,
    *,
    purpose: Purpose,
    task: str | None = None,
    overwrite: bool,
    progress: Progress,
    options: dict[str, Any],
) -> Store:
    """Computes a shard of a plan that was made for this command.

    Args:
        plan: The plan's file.
        shard: Number of the shard.
        output: The shard's store.
        purpose: What the command does.
        task: What it predicts; None if it embeds.
        overwrite: Replace a finished store of that name.
        progress: Is told how the run goes.
        options: Of the command; those that say where to compute are used.

    Raises:
        click.UsageError: the plan is for another command.
        BioseqError: see `compute_shard`.
    """
    from bioseq.shards import compute_shard, read_plan

    found = read_plan(plan)
    tasks = found.options.get("tasks", [None])
    if (found.purpose, tasks) != (purpose, [task]):
        command = " ".join(["bioseq", found.purpose, *(name for name in tasks if name)])
        problem = f"{plan} was made for: {command}"
        raise click.UsageError(problem)
    return compute_shard(
        found,
        shard,
        output,
        device=options["device"],
        tokens_per_batch=options["tokens_per_batch"],
        overwrite=overwrite,
        progress=progress,
    )
