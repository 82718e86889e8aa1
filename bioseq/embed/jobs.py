"""What a run needs to know: of the records it reads, and of the job that it does for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol, runtime_checkable

import torch

from bioseq.checkpoints import Model
from bioseq.embed.engine import BlockValues
from bioseq.embed.options import EmbedOptions
from bioseq.embed.records import CheckedRecord


@runtime_checkable
class RecordSource(Protocol):
    """The records of a run, checked, one after the other; see `Inputs`."""

    @property
    def fraction(self) -> float | None:
        """The part of the records read so far, 0 to 1; None where it can't be told."""
        ...

    def __iter__(self) -> Iterator[CheckedRecord]:
        """Gives the records that have not been given yet."""
        ...

    def provenance(self) -> dict[str, object]:
        """Gives what the store says of where its records came from."""
        ...


@runtime_checkable
class BlockEngine(Protocol):
    """Gives the values of the sequences of a block."""

    def cost(self, sequence: str) -> int:
        """Gives the residues that go through the encoder for a sequence, as often as they do."""
        ...

    def run(self, sequences: Sequence[str], advance: Callable[[int], None]) -> BlockValues:
        """See `Engine.run`."""
        ...


@runtime_checkable
class StoreJob(Protocol):
    """What is computed of every sequence, and how; see `Job`."""

    @property
    def options(self) -> EmbedOptions:
        """What reading and computing share with embedding."""
        ...

    @property
    def models(self) -> tuple[Model, ...]:
        """The encoders, in place; all have the same tokens."""
        ...

    @property
    def device(self) -> torch.device:
        """Where to compute."""
        ...

    def settings(self) -> dict[str, object]:
        """Gives everything that changes a number."""
        ...

    def attributes(self) -> dict[str, dict[str, object]]:
        """Gives the attributes of each set of values, by path."""
        ...

    def plan(self) -> dict[str, int]:
        """Gives how the input is cut."""
        ...

    def engine(self, plan: Mapping[str, int]) -> BlockEngine:
        """Builds what computes a block."""
        ...
