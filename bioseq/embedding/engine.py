"""The engine: the sequences of one block in, their values out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Int64

from bioseq.checkpoints import Model
from bioseq.embedding.long import LongSequence
from bioseq.embedding.outputs import Output
from bioseq.embedding.pooling import pool_segments
from bioseq.models import Chunk, Encoding
from bioseq.runs import BlockValues, EncoderRunner, ValueBuffer, ValueSpec, Window, to_residues
from bioseq.tokenizer import Tokenizer


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

    @property
    def flops_per_token(self) -> float:
        """Operations for one token."""
        return self.model.encoder.flops_per_token

    @property
    def flops_per_pair(self) -> float:
        """Operations for one ordered pair of tokens."""
        return self.model.encoder.flops_per_pair

    def cost(self, sequence: str) -> int:
        """Returns the residues that go through the encoder."""
        return len(sequence)

    def shapes(self) -> dict[str, ValueSpec]:
        """Returns the shape of each output, by name."""
        encoder = self.model.encoder
        return {
            o.name: ValueSpec(
                owner="residue" if o.per_residue else "sequence", dim=encoder.layer_dim(o.layer)
            )
            for o in self.outputs
        }

    def run(self, sequences: Sequence[str], advance: Callable[[int], None]) -> BlockValues:
        """Computes the outputs of some sequences.

        Args:
            sequences: Sequences of which every symbol has a token.
            advance: Is told after each step how many residues it did; may raise to end the work.

        Raises:
            OptionError: the memory does not suffice.
        """
        table = ValueBuffer(self.shapes(), sequences, self.dtype)
        layers = sorted({output.layer for output in self.outputs})
        sweep = EncoderRunner(
            model=self.model,
            layers=layers,
            device=self.device,
            tokens_per_batch=self.tokens_per_batch,
            window=self.window,
        )
        collector = _Pooling(self.outputs, layers, sequences, self.model.tokenizer, table)
        sweep.run(sequences, collector, advance)
        return BlockValues(values=table.values(), finite=table.finite())


@dataclass(frozen=True)
class _Pooling:
    """Pools the states into the table."""

    outputs: tuple[Output, ...]
    layers: list[int]
    sequences: Sequence[str]
    tokenizer: Tokenizer
    table: ValueBuffer

    def take(
        self,
        members: Int64[np.ndarray, " batch"],
        encoding: Encoding,
    ) -> None:
        for output in self.outputs:
            self._keep(output, members, encoding)

    def begin_long(self, index: int, num_tokens: int) -> _LongPooling:
        collected = [
            LongSequence(
                output,
                index=index,
                sequence=self.sequences[index],
                num_tokens=num_tokens,
                tokenizer=self.tokenizer,
                table=self.table,
            )
            for output in self.outputs
        ]
        return _LongPooling([self.layers.index(o.layer) for o in self.outputs], collected)

    def _keep(
        self,
        output: Output,
        members: Int64[np.ndarray, " batch"],
        encoding: Encoding,
    ) -> None:
        layout = encoding.layout
        states = encoding.states[self.layers.index(output.layer)]
        prefix, suffix = len(self.tokenizer.prefix), len(self.tokenizer.suffix)
        if not output.per_residue:
            pooled = pool_segments(
                output.pooling,
                states,
                layout,
                num_prefix=prefix,
                num_suffix=suffix,
                cells=encoding.cells,
            )
            self.table.put_vectors(output.name, members, pooled)
            return
        indices: list[int] = members.tolist()
        for index, part in zip(indices, layout.split(states.cpu()), strict=True):
            content = part[prefix : len(part) - suffix]
            residues = to_residues(content, self.tokenizer, self.sequences[index])
            self.table.put_residues(output.name, index, residues)


@dataclass(frozen=True)
class _LongPooling:
    """Pools one long sequence for every output; `places` are those of their layers."""

    places: list[int]
    collected: list[LongSequence]

    def add(self, chunk: Chunk) -> None:
        for place, values in zip(self.places, self.collected, strict=True):
            values.add(chunk.states[place], chunk.start, chunk.cell)

    def finish(self) -> None:
        for values in self.collected:
            values.finish()
