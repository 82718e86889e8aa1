"""The engine: the sequences of one block in, their values out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from bioseq.batch import Layout, PackedBatch, layout_of, plan_batches
from bioseq.checkpoints import Model
from bioseq.embed.outputs import Output
from bioseq.embed.pooling import RunningPool, pool_segments
from bioseq.embed.projection import project_to_residues
from bioseq.embed.table import ValueTable
from bioseq.embed.windows import Window, encode_windows
from bioseq.models import Chunk, StreamingEncoder
from bioseq.store import Ragged, Values
from bioseq.tokenizer import ResidueTokenizer, Tokens


@dataclass(frozen=True, kw_only=True)
class BlockValues:
    """What the engine gives for some sequences.

    Attributes:
        values: For each output, one row or one stretch of rows for each sequence.
        finite: Whether all numbers of a sequence are finite.
        unknown: Tokens that are the model's unknown token.
    """

    values: dict[str, Values]
    finite: Bool[np.ndarray, " sequences"]
    unknown: int


@dataclass(frozen=True, kw_only=True)
class Engine:
    """Encodes and pools; a sequence's values do not depend on what else is in the block.

    Attributes:
        model: Encoder and tokenizer, on the device and in the precision to use.
        outputs: What to give.
        device: Where to compute.
        tokens_per_batch: Tokens that go through the encoder at once.
        window: For sequences beyond the encoder's limit; None where it has none.
        dtype: Number format of the values.
    """

    model: Model
    outputs: tuple[Output, ...]
    device: torch.device
    tokens_per_batch: int
    window: Window | None
    dtype: np.dtype

    def run(self, sequences: Sequence[str]) -> BlockValues:
        """Computes the outputs of some sequences.

        Raises:
            AlphabetError: a symbol has no token.
        """
        tokens = self.model.tokenizer.encode(sequences)
        table = ValueTable(self.outputs, sequences, self.model.encoder, self.dtype)
        lengths = np.diff(tokens.offsets)
        long = self._is_long(lengths)
        short = np.flatnonzero(~long)
        with torch.inference_mode():
            for batch in plan_batches(lengths[short], self.tokens_per_batch):
                self._run_batch(tokens, sequences, short[batch], table)
            for index in np.flatnonzero(long):
                self._run_long(tokens, sequences, int(index), table)
        return BlockValues(values=table.values(), finite=table.finite(), unknown=tokens.unknown)

    def _is_long(self, lengths: Int64[np.ndarray, " sequences"]) -> Bool[np.ndarray, " sequences"]:
        if isinstance(self.model.encoder, StreamingEncoder):
            return lengths > self.tokens_per_batch
        if self.window is not None:
            return lengths > self.window.length
        return np.zeros(len(lengths), dtype=bool)

    @property
    def _layers(self) -> list[int]:
        return sorted({output.layer for output in self.outputs})

    def _run_batch(
        self,
        tokens: Tokens,
        sequences: Sequence[str],
        members: Int64[np.ndarray, " batch"],
        table: ValueTable,
    ) -> None:
        batch = self._gather(tokens, members)
        try:
            encoding = self.model.encoder(batch, layers=self._layers)
        except torch.OutOfMemoryError:
            if len(members) == 1:
                raise
            for half in np.array_split(members, 2):
                self._run_batch(tokens, sequences, half, table)
            return
        states = dict(zip(self._layers, encoding.states, strict=True))
        content, counts = self._content(batch.layout)
        for output in self.outputs:
            found = states[output.layer]
            if output.pooling != "residue":
                pooled = pool_segments(output.pooling, found, batch.layout, content, counts)
                table.put_vectors(output, members, pooled)
                continue
            parts = found[content].cpu().split(counts.tolist())
            for index, part in zip(members.tolist(), parts, strict=True):
                table.put_residues(output, index, self._to_residues(part, sequences[index]))

    def _gather(self, tokens: Tokens, members: Int64[np.ndarray, " batch"]) -> PackedBatch:
        bounds = tokens.offsets
        ids = np.concatenate([tokens.ids[bounds[i] : bounds[i + 1]] for i in members])
        return PackedBatch(
            tokens=torch.from_numpy(ids.astype(np.int64)).to(self.device),
            layout=layout_of((bounds[members + 1] - bounds[members]).tolist(), self.device),
        )

    def _content(
        self, layout: Layout
    ) -> tuple[Int64[Tensor, " residues"], Int64[Tensor, " segments"]]:
        """Tokens that stand for residues, and how many each segment has."""
        prefix, suffix = len(self.model.tokenizer.prefix), len(self.model.tokenizer.suffix)
        behind = layout.length_tensor[layout.segments] - layout.positions
        inner = (layout.positions >= prefix) & (behind > suffix)
        return inner.nonzero()[:, 0], layout.length_tensor - prefix - suffix

    def _to_residues(
        self, states: Float[Tensor, "tokens dim"], sequence: str
    ) -> Float[Tensor, "residues dim"]:
        if isinstance(self.model.tokenizer, ResidueTokenizer):
            return states
        spans = torch.from_numpy(self.model.tokenizer.spans(sequence))
        return project_to_residues(states.float(), spans, len(sequence))

    def _run_long(
        self, tokens: Tokens, sequences: Sequence[str], index: int, table: ValueTable
    ) -> None:
        prefix, suffix = len(self.model.tokenizer.prefix), len(self.model.tokenizer.suffix)
        batch = self._gather(tokens, np.array([index]))
        end = len(batch.tokens) - suffix
        pools = {output.name: RunningPool() for output in self.outputs}
        specials: dict[str, Tensor] = {}
        residues: dict[str, list[Tensor]] = {o.name: [] for o in self.outputs if o.per_residue}
        for chunk in self._chunks(batch.tokens):
            for output in self.outputs:
                states = chunk.states[self._layers.index(output.layer)]
                if chunk.start == 0 and prefix:
                    specials[output.name] = states[0]
                inner = states[max(0, prefix - chunk.start) : max(0, end - chunk.start)]
                if output.per_residue:
                    residues[output.name].append(inner.cpu())
                else:
                    pools[output.name].add(inner)
        for output in self.outputs:
            if output.pooling == "residue":
                whole = self._to_residues(torch.cat(residues[output.name]), sequences[index])
                table.put_residues(output, index, whole)
            else:
                pool = pools[output.name].result(output.pooling, specials.get(output.name))
                table.put_vectors(output, np.array([index]), pool[None])

    def _chunks(self, tokens: Int64[Tensor, " tokens"]) -> Iterator[Chunk]:
        encoder, tokenizer = self.model.encoder, self.model.tokenizer
        if isinstance(encoder, StreamingEncoder):
            return encoder.stream(tokens, chunk=self.tokens_per_batch, layers=self._layers)
        return encode_windows(
            encoder,
            tokens,
            self.window or Window(length=len(tokens), overlap=0),
            num_prefix=len(tokenizer.prefix),
            num_suffix=len(tokenizer.suffix),
            layers=self._layers,
        )
