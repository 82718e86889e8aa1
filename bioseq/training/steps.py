"""The stream of optimizer steps: what each reads, and which parts of it a process takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

import torch
from lightning import Trainer
from torch.utils.data import IterableDataset

_SEED_STRIDE = 1_000_003

Batch = TypeVar("Batch")


@dataclass(frozen=True, kw_only=True)
class Step(Generic[Batch]):
    """What one optimizer step reads, and which part of it is to be taken.

    Every process knows the whole step, so that what is drawn for it, and the mean over it, do not
    depend on how it is cut.

    Attributes:
        number: The step, from 0.
        batch: Its sequences, or their numbers.
        part: Which of the parts.
        parts: Into how many it is cut, over all processes.
    """

    number: int
    batch: Batch
    part: int = 0
    parts: int = 1

    def to(self, device: torch.device | str) -> Step[Batch]:
        """Returns the step with its sequences on another device; numbers stay where they are."""
        batch: Any = self.batch
        return replace(self, batch=batch.to(device)) if hasattr(batch, "to") else self


class StepStream(IterableDataset[Step[Batch]]):
    """One process's parts of the steps of a run, from the trainer's step on.

    Args:
        batches: Gives what the steps read, from a given step on.
        trainer: Knows the step, the process and the parts.
    """

    def __init__(self, batches: Callable[[int], Iterator[Batch]], trainer: Trainer) -> None:
        self.batches = batches
        self.trainer = trainer

    def __iter__(self) -> Iterator[Step[Batch]]:
        # Asked for here, which is after a checkpoint has been read.
        first = self.trainer.global_step
        count, process = self.trainer.accumulate_grad_batches, self.trainer.global_rank
        numbers = range(first, self.trainer.max_steps)
        for number, batch in zip(numbers, self.batches(first), strict=False):
            for part in range(process * count, (process + 1) * count):
                parts = count * self.trainer.world_size
                yield Step(number=number, batch=batch, part=part, parts=parts)


def held_out_steps(batches: Sequence[Batch], trainer: Trainer) -> list[Step[Batch]]:
    """Returns a process its parts of what is held out."""
    return [
        Step(number=number, batch=batch, part=trainer.global_rank, parts=trainer.world_size)
        for number, batch in enumerate(batches)
    ]


def derive_seed(seed: int, number: int) -> int:
    """Returns the seed of a step, a member, or whatever else has a number."""
    return seed * _SEED_STRIDE + number
