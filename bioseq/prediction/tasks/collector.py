"""From encoder states to predictions: of a batch of sequences, or of one long sequence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor

from bioseq.batch import Layout, layout_of
from bioseq.heads.pooling import segment_sum
from bioseq.models import Chunk, Encoding
from bioseq.nn.scratch import scratch
from bioseq.prediction.tasks.predictor import Predictor
from bioseq.runs import ValueBuffer
from bioseq.tokenizer import Tokenizer

_STRETCH = 16_384


def typicality_name(task: str) -> str:
    """Returns the name in the store of how typical the inputs of a task are."""
    return f"{task}-typicality"


@dataclass(frozen=True)
class PredictionCollector:
    """Puts the predictions of a block's sequences into a table; see `Collector`.

    Attributes:
        predictors: By task.
        layers: Layers whose states come.
        tokenizer: The encoder's.
        table: Where the predictions go.
    """

    predictors: Mapping[str, Predictor]
    layers: Sequence[int]
    tokenizer: Tokenizer
    table: ValueBuffer

    def take(
        self,
        members: Int64[np.ndarray, " batch"],
        encoding: Encoding,
    ) -> None:
        """Predicts a batch."""
        content, layout = encoding.layout.without_specials(
            len(self.tokenizer.prefix), len(self.tokenizer.suffix)
        )
        for task, predictor in self.predictors.items():
            chosen = [
                encoding.states[self.layers.index(k)][content] for k in predictor.encoder.layers
            ]
            joined = torch.cat(chosen, dim=-1).float()
            self.put(predictor, members, joined, layout)
            means = segment_sum(joined, layout) / layout.length_tensor[:, None]
            self.put_typicality(task, members, means)

    def begin_long(self, index: int, num_tokens: int) -> _LongPrediction:
        """Begins to collect the states of a long sequence."""
        return _LongPrediction(self, index, num_tokens)

    def put(
        self,
        predictor: Predictor,
        members: Int64[np.ndarray, " batch"],
        states: Float[Tensor, "residues dim"],
        layout: Layout,
    ) -> None:
        """Predicts some sequences from their states."""
        mixed = predictor.mix(states, layout)
        rows = predictor.rows(mixed, layout)
        indices: list[int] = members.tolist()
        for target in predictor.targets:
            if target.level == "sequence":
                self.table.put_vectors(target.name, members, rows[target.name])
            elif target.level == "residue":
                parts = layout.split(rows[target.name].cpu())
                for index, part in zip(indices, parts, strict=True):
                    self.table.put_residues(target.name, index, part)
        if predictor.pair_targets:
            segments = zip(*(layout.split(x) for x in mixed), strict=True)
            for index, segment in zip(indices, segments, strict=True):
                self._put_pairs(predictor, index, segment)

    def put_typicality(
        self, task: str, members: Int64[np.ndarray, " batch"], means: Float[Tensor, "batch dim"]
    ) -> None:
        """Compares the mean states of some sequences with those of the training sequences."""
        typicality = self.predictors[task].typicality(means)[:, None]
        self.table.put_vectors(typicality_name(task), members, typicality)

    def _put_pairs(
        self, predictor: Predictor, index: int, mixed: Sequence[Float[Tensor, "residues _"]]
    ) -> None:
        for pairs, values in predictor.pairs(mixed):
            steps = pairs[1] - pairs[0]
            for target in predictor.pair_targets:
                apart = steps >= target.separation
                self.table.put_pairs(
                    target.name, index, pairs[:, apart], values[target.name][apart]
                )


class _LongPrediction:
    """Keeps the states of one long sequence (on disk when large) until all are there."""

    def __init__(self, collector: PredictionCollector, index: int, num_tokens: int) -> None:
        self._collector = collector
        self._index = np.array([index])
        self._num_tokens = num_tokens
        self._states: list[Tensor] = []

    def add(self, chunk: Chunk) -> None:
        """Keeps a chunk."""
        if not self._states:
            self._states = [
                scratch(self._num_tokens, s.shape[1], torch.float32) for s in chunk.states
            ]
        for kept, states in zip(self._states, chunk.states, strict=True):
            kept[chunk.start : chunk.start + len(states)] = states.float()

    def finish(self) -> None:
        """Predicts from the kept states, stretch by stretch where the head's reach allows it."""
        tokenizer, layers = self._collector.tokenizer, self._collector.layers
        first = len(tokenizer.prefix)
        stop = self._num_tokens - len(tokenizer.suffix)
        for task, predictor in self._collector.predictors.items():
            parts = [self._states[layers.index(k)][first:stop] for k in predictor.encoder.layers]
            device = next(predictor.heads.parameters()).device
            if predictor.reach is None:
                states = torch.cat(parts, dim=-1).to(device)
                layout = layout_of([len(states)], device)
                self._collector.put(predictor, self._index, states, layout)
            else:
                self._predict_stretches(predictor, parts, predictor.reach, device)
            mean = torch.cat([part.mean(dim=0) for part in parts])[None].to(device)
            self._collector.put_typicality(task, self._index, mean)

    def _predict_stretches(
        self, predictor: Predictor, parts: list[Tensor], reach: int, device: torch.device
    ) -> None:
        """Predicts what is said of residues alone."""
        table, length = self._collector.table, len(parts[0])
        for start in range(0, length, _STRETCH):
            seen = slice(max(0, start - reach), start + _STRETCH + reach)
            states = torch.cat([part[seen] for part in parts], dim=-1).to(device)
            kept = slice(start - seen.start, start - seen.start + _STRETCH)
            for name, rows in predictor(states, layout_of([len(states)], device)).items():
                table.put_residues(name, int(self._index[0]), rows[kept].cpu(), start=start)
