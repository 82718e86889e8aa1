"""What a run needs to know of a job that gives values for every sequence of some files."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, runtime_checkable

import torch

from bioseq.checkpoints import Model
from bioseq.embed.engine import BlockValues
from bioseq.embed.options import EmbedOptions


@runtime_checkable
class BlockEngine(Protocol):
    """Gives the values of the sequences of a block."""

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
    def model(self) -> Model:
        """The encoder, in place."""
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
