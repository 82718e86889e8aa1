"""The plan of shards, and its Parquet file.

A row is a shard. What holds for all of them stands in the file's metadata, as JSON under the key
`bioseq-plan`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from bioseq.errors import PlanError
from bioseq.files import replacing
from bioseq.io import RecordRange
from bioseq.shards.estimate import ShardCost
from bioseq.shards.job import Purpose
from bioseq.typing import AnyPath

_KEY = "bioseq-plan"
_VERSION = 2
_RANGES = pl.List(
    pl.Struct(
        {
            "path": pl.String,
            "format": pl.String,
            "first": pl.Int64,
            "count": pl.Int64,
            "offset": pl.Int64,
        }
    )
)


@dataclass(frozen=True, kw_only=True)
class Shard:
    """Consecutive records of the input, and what they take.

    Attributes:
        number: From 1.
        first_record: 0-based number of its first record in the whole input.
        num_records: Records.
        num_residues: Their residues.
        longest: Residues of the longest.
        flops: Predicted floating-point operations.
        records_digest: Stands for its records; see `bioseq.shards.identity`.
        estimate: Predicted time, memory and disk.
        ranges: Where its records lie.
    """

    number: int
    first_record: int
    num_records: int
    num_residues: int
    longest: int
    flops: float
    records_digest: str
    estimate: ShardCost
    ranges: tuple[RecordRange, ...]


@dataclass(frozen=True, kw_only=True)
class ShardPlan:
    """How the embedding or the prediction of an input is divided.

    Attributes:
        path: The plan's file.
        purpose: Whether it is embedded or predicted.
        options: How, by name.
        settings: Everything that changes a number, as in a store's fingerprint.
        sizes: Bytes of each input file.
        input_digest: Stands for all records of the input.
        flops_per_second: The rate behind the estimates.
        shards: The shards, in order.
    """

    path: Path
    purpose: Purpose
    options: Mapping[str, Any]
    settings: Mapping[str, Any]
    sizes: Mapping[str, int]
    input_digest: str
    flops_per_second: float
    shards: tuple[Shard, ...] = field(repr=False)

    @property
    def num_records(self) -> int:
        """Records of the whole input."""
        return sum(shard.num_records for shard in self.shards)

    @cached_property
    def digest(self) -> str:
        """Stands for input, settings and boundaries, not for the estimates."""
        bounds = [[s.first_record, s.num_records, s.records_digest] for s in self.shards]
        text = json.dumps([self.input_digest, self.settings, bounds], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def shard(self, number: int) -> Shard:
        """Returns a shard.

        Raises:
            PlanError: There is none of that number.
        """
        if not 1 <= number <= len(self.shards):
            raise PlanError(self.path, f"has the shards 1 to {len(self.shards)}, not {number}")
        return self.shards[number - 1]


def write_plan(plan: ShardPlan) -> None:
    """Writes a plan to its file, in one step.

    Raises:
        PlanError: The file can't be written.
    """
    rows = [_row_of(shard) for shard in plan.shards]
    about = {"version": _VERSION, **asdict(plan)}
    del about["shards"], about["path"]
    table = pl.DataFrame(rows, schema_overrides={"ranges": _RANGES}, orient="row")
    try:
        plan.path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(plan.path) as temporary:
            table.write_parquet(temporary, metadata={_KEY: json.dumps(about)})
    except OSError as error:
        problem = f"can't be written: {error.strerror or error}"
        raise PlanError(plan.path, problem) from error


def read_plan(path: AnyPath) -> ShardPlan:
    """Reads a plan.

    Raises:
        PlanError: The file is missing, damaged or no plan.
    """
    path = Path(path)
    if not path.is_file():
        raise PlanError(path, "does not exist; make it with: bioseq plan")
    try:
        text = pl.read_parquet_metadata(path).get(_KEY)
        rows = pl.read_parquet(path).to_dicts()
    except pl.exceptions.PolarsError as error:
        raise PlanError(path, f"is not a readable Parquet file ({error})") from error
    if text is None:
        raise PlanError(path, "is a Parquet file but no plan; make one with: bioseq plan")
    about = json.loads(text)
    if (version := about.pop("version")) != _VERSION:
        raise PlanError(path, f"has version {version}; this bioseq reads version {_VERSION}")
    return ShardPlan(path=path, shards=tuple(map(_shard_of, rows)), **about)


def _row_of(shard: Shard) -> dict[str, object]:
    row = asdict(shard)
    estimate = row.pop("estimate")
    ranges = row.pop("ranges")
    return {**row, **estimate, "ranges": ranges}


def _shard_of(row: dict[str, Any]) -> Shard:
    estimate = ShardCost(**{name: row.pop(name) for name in ("seconds", "memory_mb", "disk_mb")})
    ranges = tuple(RecordRange(**part) for part in row.pop("ranges"))
    return Shard(estimate=estimate, ranges=ranges, **row)
