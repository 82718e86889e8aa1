"""What a run needs to know: of the records it reads, and of the job that it does for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Bool

from bioseq.checkpoints import Model
from bioseq.options import InputOptions
from bioseq.runs.records import CheckedRecord
from bioseq.store import Values

NOT_FINITE = "values are not finite; repeat it with --precision float32 and --save-as float32"


@dataclass(frozen=True, kw_only=True)
class BlockValues:
    """What the engine gives for some sequences.

    Attributes:
        values: For each embedding, one row or one stretch of rows for each sequence.
        finite: Whether all numbers of a sequence are finite.
        predictions: The same for each prediction.
        not_finite: Why a sequence fails whose numbers are not all finite.
    """

    values: dict[str, Values]
    finite: Bool[np.ndarray, " sequences"]
    predictions: dict[str, Values] = field(default_factory=dict)
    not_finite: str = NOT_FINITE


@runtime_checkable
class RecordSource(Protocol):
    """The records of a run, checked, one after the other; see `Inputs`."""

    @property
    def fraction(self) -> float | None:
        """The part of the records read so far, 0 to 1; None where it can't be told."""
        ...

    def __iter__(self) -> Iterator[CheckedRecord]:
        """Returns the records that have not been given yet."""
        ...

    def provenance(self) -> dict[str, object]:
        """Returns what the store says of where its records came from."""
        ...


@runtime_checkable
class BlockEngine(Protocol):
    """Gives the values of the sequences of a block."""

    def cost(self, sequence: str) -> int:
        """Returns the residues that go through the encoder for a sequence, as often as they do."""
        ...

    def run(self, sequences: Sequence[str], advance: Callable[[int], None]) -> BlockValues:
        """See `Engine.run`."""
        ...


@runtime_checkable
class StoreJob(Protocol):
    """What is computed of every sequence, and how; see `Job`."""

    @property
    def options(self) -> InputOptions:
        """What the input is."""
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
        """Returns everything that changes a number."""
        ...

    def attributes(self) -> dict[str, dict[str, object]]:
        """Returns the attributes of each set of values, by path."""
        ...

    def block_sizes(self) -> dict[str, int]:
        """Returns the sizes of batches and blocks."""
        ...

    def engine(self, block_sizes: Mapping[str, int]) -> BlockEngine:
        """Builds what computes a block."""
        ...
