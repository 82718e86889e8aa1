"""Merging the shards of a plan, none of which may be missing, damaged or of something else."""

from __future__ import annotations

from pathlib import Path

from bioseq.errors import ShardError, StoreError
from bioseq.shards.identity import digest_of_marks, mark_of
from bioseq.shards.plan import Shard, ShardPlan
from bioseq.shards.shard import provenance_of, shard_path
from bioseq.store import NO_ROW, Store, differences, merge_stores, open_store, prepare_output
from bioseq.typing import AnyPath


def merge_shards(
    plan: ShardPlan, folder: AnyPath, output: AnyPath, *, overwrite: bool = False
) -> Path:
    """Writes the stores of all shards into one; its content is that of a single run.

    Args:
        plan: The plan.
        folder: Holds the stores, named as `shard_path` does.
        output: The merged store.
        overwrite: Replace an existing store of that name.

    Raises:
        ShardError: A shard is missing, damaged, or was made from another input, with another
            model or by another plan; all of these are named.
        StoreError: The output exists or can't be written.
    """
    prepare_output(Path(output), overwrite=overwrite)
    paths = {shard.number: shard_path(folder, shard.number) for shard in plan.shards}
    found = {shard.number: _problem_of(plan, shard, paths[shard.number]) for shard in plan.shards}
    problems = {
        str(paths[number]): f"(shard {number} of {len(plan.shards)}) {problem}"
        for number, problem in found.items()
        if problem
    }
    if problems:
        raise ShardError(problems)
    provenance = {
        "plan": plan.digest,
        "input": plan.input_digest,
        "shard_seconds": [_seconds_of(path) for path in paths.values()],
    }
    return merge_stores(list(paths.values()), output, provenance=provenance, overwrite=overwrite)


def _seconds_of(path: Path) -> object:
    with open_store(path) as store:
        return store.provenance["seconds"]


def _problem_of(plan: ShardPlan, shard: Shard, path: Path) -> str | None:
    """Returns why a store is not that of a shard; None where it is."""
    if not path.exists():
        return "is missing; repeat the command that makes it"
    try:
        with open_store(path) as store:
            problem = _wrong_place(plan, shard, store)
            if problem is not None:
                return problem
            store.verify()
            return _wrong_records(shard, store)
    except StoreError as error:
        return f"{error.problem}; delete it and repeat the command that makes it"


def _wrong_place(plan: ShardPlan, shard: Shard, store: Store) -> str | None:
    """Compares what the store says of itself with the plan."""
    changed = differences(plan.settings, store.settings)
    if changed:
        listed = "; ".join(f"{k} is {b!r}, planned {a!r}" for k, (a, b) in changed.items())
        return f"was made with another model or other settings: {listed}"
    says, wanted = store.provenance.get("shard"), provenance_of(plan, shard)
    if not isinstance(says, dict):
        return "is a store, but not a shard of any plan"
    if says.get("input") != wanted["input"]:
        return "was made from another input"
    if says.get("plan") != wanted["plan"]:
        return f"was made by another plan, of {says.get('of')} shards"
    if says.get("number") != wanted["number"]:
        return f"holds shard {says.get('number')}"
    return None


def _wrong_records(shard: Shard, store: Store) -> str | None:
    """Compares the records themselves with the plan."""
    if len(store) != shard.num_records:
        return f"holds {len(store):,} records, planned {shard.num_records:,}"
    tables, marks = store.tables, bytearray()
    failed = iter(store.failures["digest"].to_list())
    for id, description, row in zip(tables.ids, tables.descriptions, store.rows, strict=True):
        digest = next(failed) if row == NO_ROW else tables.digests[row]
        marks += mark_of(id, description, digest)
    return None if digest_of_marks(marks) == shard.records_digest else "holds other records"
