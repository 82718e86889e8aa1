"""Computing one shard of a plan."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bioseq.embedding import Progress
from bioseq.errors import InputError, OtherInputError, PlanError
from bioseq.runs import CheckedRecord, Inputs, run_job
from bioseq.shards.identity import digest_of_marks, mark_of
from bioseq.shards.job import PlannedJob, build_planned_job, options_from_json
from bioseq.shards.plan import Shard, ShardPlan
from bioseq.store import Store, differences, discard_parts
from bioseq.typing import AnyPath


class ShardInputs(Inputs):
    """The records of one shard; the last is followed by the check that all are those planned.

    Args:
        shard: The shard.
        plan: Its plan.
        job: Tells the tokenizer.
    """

    def __init__(self, shard: Shard, plan: ShardPlan, job: PlannedJob) -> None:
        super().__init__(
            shard.ranges,
            job.models[0].tokenizer,
            molecule=job.options.molecule,
            is_checked=True,
        )
        self._shard = shard
        self._plan = plan

    def __iter__(self) -> Iterator[CheckedRecord]:
        marks = bytearray()
        for checked in super().__iter__():
            marks += mark_of(checked.record.id, checked.record.description, checked.digest)
            yield checked
        if digest_of_marks(marks) != self._shard.records_digest:
            problem = f"its records are not those of {self._plan.path} any more; plan again"
            raise InputError(self._shard.ranges[0].path, problem)


def compute_shard(
    plan: ShardPlan,
    number: int,
    output: AnyPath,
    *,
    device: str = "auto",
    tokens_per_batch: int | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Store:
    """Embeds or predicts the records of one shard.

    Only these are read, where the input's format allows it.

    Killed and repeated, it goes on behind the last finished block. Unfinished work from another
    input or plan is thrown away.

    Args:
        plan: The plan.
        number: Number of the shard, from 1.
        output: The shard's store.
        device: See `EmbedOptions`.
        tokens_per_batch: See `EmbedOptions`.
        overwrite: Replace a finished store of that name.
        progress: Is told how the run goes.

    Raises:
        InputError: the input has changed since it was planned.
        PlanError: there is no such shard, or the model has changed since.
        StoreError: the output is finished and holds something else.
    """
    shard = plan.shard(number)
    options = options_from_json(
        plan.purpose, plan.options, device=device, tokens_per_batch=tokens_per_batch
    )
    job = build_planned_job(options)
    _check_job(plan, job)
    _check_sizes(plan, shard)

    def compute() -> Store:
        return run_job(
            job,
            ShardInputs(shard, plan, job),
            output,
            made_by=plan.purpose,
            provenance={"shard": provenance_of(plan, shard)},
            overwrite=overwrite,
            progress=progress,
        )

    try:
        return compute()
    except OtherInputError as error:
        if error.is_finished:
            raise
        discard_parts(Path(output))
        return compute()


def provenance_of(plan: ShardPlan, shard: Shard) -> dict[str, object]:
    """Returns what a shard's store says of its place."""
    return {
        "number": shard.number,
        "of": len(plan.shards),
        "plan": plan.digest,
        "input": plan.input_digest,
    }


def _check_job(plan: ShardPlan, job: PlannedJob) -> None:
    found = differences(plan.settings, job.settings())
    if found:
        listed = "; ".join(f"{k} was {a!r}, is {b!r}" for k, (a, b) in found.items())
        raise PlanError(
            plan.path, f"was made with another model or predictor ({listed}); plan again"
        )


def _check_sizes(plan: ShardPlan, shard: Shard) -> None:
    """Finds a changed file before it costs any work."""
    for part in shard.ranges:
        try:
            size = Path(part.path).stat().st_size
        except OSError as error:
            raise InputError(part.path, (error.strerror or str(error)).lower()) from None
        if size != plan.sizes[part.path]:
            problem = f"has {size:,} bytes, but {plan.sizes[part.path]:,} in {plan.path}"
            raise InputError(part.path, f"{problem}; plan again")


def shard_path(folder: AnyPath, number: int) -> Path:
    """Returns the name of a shard's store in a folder of shards."""
    return Path(folder) / f"shard-{number:05d}.h5"
