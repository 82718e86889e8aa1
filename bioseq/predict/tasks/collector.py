"""From encoder states to predictions: of a batch of sequences, or of one long sequence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor

from bioseq.batch import Layout, layout_of
from bioseq.embed.table import ValueTable
from bioseq.heads.pooling import segment_sum
from bioseq.models import Chunk, Encoding
from bioseq.nn.scratch import scratch
from bioseq.predict.tasks.predictor import Predictor
from bioseq.tokenizer import Tokenizer

_STRETCH = 16_384


def typicality_name(task: str) -> str:
    """Gives the name in the store of how typical the inputs of a task are."""
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
    table: ValueTable

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
            for name, rows in predictor(joined, layout).items():
                self._put(name, members, rows, layout, per_residue=predictor.per_residue)
            self._put_typicality(task, predictor, members, joined, layout)

    def begin_long(self, index: int, num_tokens: int) -> _LongPrediction:
        """Begins to collect the states of a long sequence."""
        return _LongPrediction(self, index, num_tokens)

    def _put(
        self,
        name: str,
        members: Int64[np.ndarray, " batch"],
        rows: Float[Tensor, "rows classes"],
        layout: Layout,
        *,
        per_residue: bool,
    ) -> None:
        if not per_residue:
            self.table.put_vectors(name, members, rows)
            return
        indices: list[int] = members.tolist()
        for index, part in zip(indices, layout.split(rows.cpu()), strict=True):
            self.table.put_residues(name, index, part)

    def _put_typicality(
        self,
        task: str,
        predictor: Predictor,
        members: Int64[np.ndarray, " batch"],
        states: Float[Tensor, "residues dim"],
        layout: Layout,
    ) -> None:
        means = segment_sum(states, layout) / layout.length_tensor[:, None]
        self.table.put_vectors(typicality_name(task), members, predictor.typicality(means)[:, None])


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
                self._predict(predictor, torch.cat(parts, dim=-1).to(device), 0, stop - first)
            else:
                self._predict_stretches(predictor, parts, predictor.reach, device)
            mean = torch.cat([part.mean(dim=0) for part in parts])[None].to(device)
            typicality = predictor.typicality(mean)[:, None]
            self._collector.table.put_vectors(typicality_name(task), self._index, typicality)

    def _predict_stretches(
        self, predictor: Predictor, parts: list[Tensor], reach: int, device: torch.device
    ) -> None:
        length = len(parts[0])
        for start in range(0, length, _STRETCH):
            stop = min(start + _STRETCH, length)
            seen = slice(max(0, start - reach), stop + reach)
            states = torch.cat([part[seen] for part in parts], dim=-1).to(device)
            self._predict(predictor, states, start, stop, skip=start - seen.start)

    def _predict(
        self,
        predictor: Predictor,
        states: Float[Tensor, "residues dim"],
        start: int,
        stop: int,
        *,
        skip: int = 0,
    ) -> None:
        table = self._collector.table
        layout = layout_of([len(states)], states.device)
        for name, rows in predictor(states, layout).items():
            if predictor.per_residue:
                kept = rows[skip : skip + stop - start].cpu()
                table.put_residues(name, int(self._index[0]), kept, start=start)
            else:
                table.put_vectors(name, self._index, rows)
