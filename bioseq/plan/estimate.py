"""What a shard will take: time, memory and disk."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int64

from bioseq.embed.budget import bytes_per_token
from bioseq.embed.table import Owner
from bioseq.plan.cost import CostModel
from bioseq.plan.jobs import PlannedJob

START_SECONDS = 10.0
_PROGRAM_BYTES = 600 * 2**20
_BYTES_PER_RECORD = 600  # tables in memory
_TABLE_BYTES_PER_RECORD = 250  # tables on disk
_FEWEST_SECONDS = 1.0
_LONGEST_SAMPLE = 2_000


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What a shard will take.

    Attributes:
        seconds: Time, from the start of the program to its end.
        memory_mb: Memory of the process.
        disk_mb: Disk, parts and file together while the file is put together.
    """

    seconds: float
    memory_mb: int
    disk_mb: int


def estimate(
    job: PlannedJob,
    lengths: Int64[np.ndarray, " records"],
    *,
    flops: float,
    flops_per_second: float,
) -> Estimate:
    """Estimates what records take on the machine that the rate was measured on.

    Args:
        job: What is done with them.
        lengths: Their residues.
        flops: Their cost.
        flops_per_second: The rate.
    """
    return Estimate(
        seconds=START_SECONDS + flops / flops_per_second,
        memory_mb=-(-_memory(job, lengths) // 2**20),
        disk_mb=-(-2 * _file_size(job, lengths) // 2**20),
    )


def _memory(job: PlannedJob, lengths: Int64[np.ndarray, " records"]) -> int:
    """The program, the weights (read, then placed), one batch, and the blocks on their way."""
    plan, encoder = job.plan(), job.model.encoder
    weights = sum(p.numel() * p.element_size() for p in encoder.parameters())
    batch = plan["tokens_per_batch"]
    if job.window is not None:
        batch = max(batch, job.window.length)
    longest = int(lengths.max(initial=0))
    block = max(longest, min(plan["residues_per_block"], int(lengths.sum())))
    pairs = max(longest**2, min(plan.get("pairs_per_block", 0), int((lengths**2).sum())))
    values = block * _bytes_per_row(job, "residue") + len(lengths) * _BYTES_PER_RECORD
    values += pairs * _bytes_per_row(job, "pair")
    return (
        _PROGRAM_BYTES + 2 * weights + batch * bytes_per_token(encoder) + 3 * values + 2 * longest
    )


def _file_size(job: PlannedJob, lengths: Int64[np.ndarray, " records"]) -> int:
    return (
        len(lengths) * (_bytes_per_row(job, "sequence") + _TABLE_BYTES_PER_RECORD)
        + int(lengths.sum()) * _bytes_per_row(job, "residue")
        + int((lengths**2).sum()) * _bytes_per_row(job, "pair")
    )


def _bytes_per_row(job: PlannedJob, owner: Owner) -> int:
    """Gives the bytes that are kept of a residue, of a pair of them, or of a record."""
    shapes = job.engine(job.plan()).shapes().values()
    widths = [shape.dim for shape in shapes if shape.owner == owner]
    return sum(widths) * np.dtype(job.options.save_as).itemsize


def measure_rate(job: PlannedJob, cost: CostModel, sample: Sequence[str]) -> float:
    """Measures how many operations a second this machine does on the job, in about two seconds.

    Args:
        job: The job.
        cost: Counts the operations.
        sample: Sequences of the input that the model can read; some are cut short.
    """
    engine = job.engine(job.plan())
    sequences = [s[:_LONGEST_SAMPLE] for s in sample if s] or ["ACAC" * 50]
    engine.run(sequences[:1], lambda _: None)  # the first call prepares what later ones use
    repeats = 1
    while True:
        batch = sequences * repeats
        started = time.perf_counter()
        engine.run(batch, lambda _: None)
        seconds = time.perf_counter() - started
        if seconds >= _FEWEST_SECONDS:
            lengths = np.array([len(s) for s in batch])
            return float(cost.flops(lengths).sum() / seconds)
        repeats *= 2
