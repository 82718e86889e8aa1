"""The engine of a prediction run: the sequences of one block in, their predictions out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bioseq.prediction.tasks.collector import PredictionCollector, typicality_name
from bioseq.prediction.tasks.predictor import Predictor
from bioseq.runs import BlockValues, EncoderRunner, ValueBuffer, ValueSpec


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One pass of one encoder over every sequence, or over the beginnings of all.

    Attributes:
        sweep: How sequences go through the encoder.
        predictors: Those that read these states, by task.
        first_residues: How much of the beginning is read; 0 for all.
    """

    sweep: EncoderRunner
    predictors: Mapping[str, Predictor]
    first_residues: int

    def cost(self, sequence: str) -> int:
        """Returns the residues that go through the encoder."""
        return min(self.first_residues or len(sequence), len(sequence))

    def run(
        self, sequences: Sequence[str], table: ValueBuffer, advance: Callable[[int], None]
    ) -> None:
        """Puts the predictions of some sequences into a table."""
        collector = PredictionCollector(
            predictors=self.predictors,
            layers=self.sweep.layers,
            tokenizer=self.sweep.model.tokenizer,
            table=table,
        )
        first = self.first_residues
        read = [sequence[:first] for sequence in sequences] if first else sequences
        self.sweep.run(read, collector, advance)


@dataclass(frozen=True, kw_only=True)
class TaskEngine:
    """Predicts every task from as few passes of encoders as there can be; see `Engine`.

    Attributes:
        predictors: By task, on the device.
        readings: The passes, which have all of them among themselves.
    """

    predictors: Mapping[str, Predictor]
    readings: Sequence[Reading]

    @property
    def dtype(self) -> np.dtype:
        """Number format of the values."""
        return np.dtype(np.float32)

    @property
    def flops_per_token(self) -> float:
        """Operations for one token, those of the heads included."""
        encoders = sum(sweep.model.encoder.flops_per_token for sweep in self._sweeps())
        return encoders + sum(p.flops_per_token for p in self.predictors.values())

    @property
    def flops_per_pair(self) -> float:
        """Operations for one ordered pair of tokens; heads read a pair once for both orders."""
        encoders = sum(sweep.model.encoder.flops_per_pair for sweep in self._sweeps())
        return encoders + sum(p.flops_per_pair for p in self.predictors.values()) / 2

    def cost(self, sequence: str) -> int:
        """Returns the residues that go through the encoders."""
        return sum(reading.cost(sequence) for reading in self.readings)

    def run(self, sequences: Sequence[str], advance: Callable[[int], None]) -> BlockValues:
        """Predicts some sequences; see `Engine.run`."""
        table = ValueBuffer(self.shapes(), sequences, self.dtype)
        for reading in self.readings:
            reading.run(sequences, table, advance)
        return BlockValues(values={}, finite=table.finite(), predictions=table.values())

    def shapes(self) -> dict[str, ValueSpec]:
        """Returns the shape of each prediction, by name."""
        shapes = {}
        for task, predictor in self.predictors.items():
            for target in predictor.targets:
                shapes[target.name] = ValueSpec(owner=target.level, dim=len(target.columns))
            shapes[typicality_name(task)] = ValueSpec(owner="sequence", dim=1)
        return shapes

    def _sweeps(self) -> list[EncoderRunner]:
        """Gives those that a long sequence pays for: the ones over whole sequences, if any are."""
        whole = [reading.sweep for reading in self.readings if not reading.first_residues]
        return whole or [reading.sweep for reading in self.readings]
