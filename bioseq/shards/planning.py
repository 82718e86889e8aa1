"""Planning: inputs in, a plan of shards of equal cost out."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice, pairwise
from os import PathLike
from pathlib import Path

import numpy as np
from jaxtyping import Float64

from bioseq.embedding import EmbedOptions
from bioseq.errors import OptionError
from bioseq.runs import Inputs
from bioseq.shards.cost import cost_model_of
from bioseq.shards.cutting import cut_evenly
from bioseq.shards.estimate import Estimator, measure_rate
from bioseq.shards.job import (
    PlannedJob,
    PlannedOptions,
    build_planned_job,
    options_as_json,
    purpose_of,
)
from bioseq.shards.plan import Shard, ShardPlan, write_plan
from bioseq.shards.scan import Scan, scan_files
from bioseq.typing import AnyPath

SECONDS_PER_SHARD = 1800.0
MOST_SHARDS = 1000
_SAMPLE_RECORDS = 100


def plan_shards(
    inputs: AnyPath | Sequence[AnyPath],
    output: AnyPath,
    options: PlannedOptions | None = None,
    *,
    num_shards: int | None = None,
    flops_per_second: float | None = None,
) -> ShardPlan:
    """Divides the embedding or the prediction of some files into shards of equal predicted cost.

    The boundaries depend on input, options and number of shards alone. Sequences that repeat count
    each time, though a shard computes them once.

    Args:
        inputs: One or more files in any supported format.
        output: The plan to write, a Parquet file.
        options: How to embed, or what to predict; the default model's mean vectors unless given.
        num_shards: Shards; unless given as many as take half an hour each, at most 1,000.
        flops_per_second: Operations that the machines to be used do in a second; measured here
            unless given.

    Raises:
        BioseqError: a file, an option or the model can't be used; the message says which and why.
    """
    if num_shards is not None and num_shards < 1:
        raise OptionError("shards", num_shards, allowed="1 or more")
    if flops_per_second is not None and flops_per_second <= 0:
        raise OptionError("rate", flops_per_second, allowed="more than 0")
    paths = [inputs] if isinstance(inputs, str | PathLike) else list(inputs)
    options = options or EmbedOptions()
    job = build_planned_job(options)
    sample = _sample(job, paths)
    scan = scan_files(paths, format=options.format)
    cost = cost_model_of(job, sample)
    flops = cost.flops(scan.lengths)
    rate = flops_per_second or measure_rate(job, cost, sample)
    wanted = float(flops.sum()) / rate / SECONDS_PER_SHARD
    count = num_shards or min(MOST_SHARDS, max(1, round(wanted)))
    plan = ShardPlan(
        path=Path(output),
        purpose=purpose_of(options),
        options=options_as_json(options),
        settings=job.settings(),
        sizes={file.path: file.num_bytes for file in scan.files},
        input_digest=scan.digest(0, len(scan.lengths)),
        flops_per_second=rate,
        shards=_shards(scan, flops, count, Estimator(job, rate)),
    )
    write_plan(plan)
    return plan


def _sample(job: PlannedJob, paths: Sequence[AnyPath]) -> list[str]:
    """Returns the first sequences that can be computed; finds out whether the model reads them."""
    source = Inputs(
        paths, job.models[0].tokenizer, format=job.options.format, molecule=job.options.molecule
    )
    checked = islice(source, _SAMPLE_RECORDS)
    return [found.record.sequence for found in checked if found.problem is None]


def _shards(
    scan: Scan, flops: Float64[np.ndarray, " records"], count: int, estimator: Estimator
) -> tuple[Shard, ...]:
    bounds = cut_evenly(flops + 1.0, count).tolist()
    return tuple(
        _shard(scan, flops, number, (start, stop), estimator)
        for number, (start, stop) in enumerate(pairwise(bounds), start=1)
    )


def _shard(
    scan: Scan,
    flops: Float64[np.ndarray, " records"],
    number: int,
    bounds: tuple[int, int],
    estimator: Estimator,
) -> Shard:
    start, stop = bounds
    lengths = scan.lengths[start:stop]
    cost = float(flops[start:stop].sum())
    return Shard(
        number=number,
        first_record=start,
        num_records=stop - start,
        num_residues=int(lengths.sum()),
        longest=int(lengths.max(initial=0)),
        flops=cost,
        records_digest=scan.digest(start, stop),
        estimate=estimator.estimate(lengths, cost),
        ranges=scan.ranges(start, stop),
    )
