"""What a shard will take: time, memory and disk."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np
from jaxtyping import Int64

from bioseq.runs import Owner, bytes_per_token
from bioseq.shards.cost import CostModel
from bioseq.shards.job import PlannedJob

START_SECONDS = 10.0
_PROGRAM_BYTES = 600 * 2**20
_BYTES_PER_RECORD = 600  # tables in memory
_TABLE_BYTES_PER_RECORD = 250  # tables on disk
_FEWEST_SECONDS = 1.0
_LONGEST_SAMPLE = 2_000


@dataclass(frozen=True, kw_only=True)
class ShardCost:
    """What a shard will take.

    Attributes:
        seconds: Time, from the start of the program to its end.
        memory_mb: Memory of the process.
        disk_mb: Disk, parts and file together while the file is put together.
    """

    seconds: float
    memory_mb: int
    disk_mb: int


class Estimator:
    """Estimates what records take on the machine that a rate was measured on.

    Args:
        job: What is done with them.
        flops_per_second: The rate.
    """

    def __init__(self, job: PlannedJob, flops_per_second: float) -> None:
        self._flops_per_second = flops_per_second
        self._sizes = job.block_sizes()
        encoders, batch = [m.encoder for m in job.models], self._sizes["tokens_per_batch"]
        if job.window is not None:
            batch = max(batch, job.window.length)
        weights = sum(p.numel() * p.element_size() for e in encoders for p in e.parameters())
        # The program, the weights (read, then placed), and one batch.
        self._fixed = _PROGRAM_BYTES + 2 * weights + batch * max(map(bytes_per_token, encoders))
        self._kept = dict.fromkeys(get_args(Owner), 0)
        engine = job.engine(self._sizes)
        for shape in engine.shapes().values():
            self._kept[shape.owner] += shape.dim * engine.dtype.itemsize

    def estimate(self, lengths: Int64[np.ndarray, " records"], flops: float) -> ShardCost:
        """Estimates what records of so many residues take, whose cost is known."""
        return ShardCost(
            seconds=START_SECONDS + flops / self._flops_per_second,
            memory_mb=-(-self._memory(lengths) // 2**20),
            disk_mb=-(-2 * self._file_size(lengths) // 2**20),
        )

    def _memory(self, lengths: Int64[np.ndarray, " records"]) -> int:
        """What is there in any case, and the blocks on their way."""
        sizes, kept = self._sizes, self._kept
        longest = int(lengths.max(initial=0))
        block = max(longest, min(sizes["residues_per_block"], int(lengths.sum())))
        pairs = max(longest**2, min(sizes.get("pairs_per_block", 0), int((lengths**2).sum())))
        values = block * kept["residue"] + pairs * kept["pair"] + len(lengths) * _BYTES_PER_RECORD
        return self._fixed + 3 * values + 2 * longest

    def _file_size(self, lengths: Int64[np.ndarray, " records"]) -> int:
        return (
            len(lengths) * (self._kept["sequence"] + _TABLE_BYTES_PER_RECORD)
            + int(lengths.sum()) * self._kept["residue"]
            + int((lengths**2).sum()) * self._kept["pair"]
        )


def measure_rate(job: PlannedJob, cost: CostModel, sample: Sequence[str]) -> float:
    """Measures how many operations a second this machine does on the job, in about two seconds.

    Args:
        job: The job.
        cost: Counts the operations.
        sample: Sequences of the input that the model can read; some are cut short.
    """
    engine = job.engine(job.block_sizes())
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
