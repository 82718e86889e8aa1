"""The engine: the sequences of one block in, their values out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Int64
from torch import Tensor

from bioseq.batch import PackedBatch, layout_of, plan_batches
from bioseq.checkpoints import Model
from bioseq.embed.long import LongSequence
from bioseq.embed.outputs import Output
from bioseq.embed.pooling import pool_segments
from bioseq.embed.projection import to_residues
from bioseq.embed.table import ValueTable
from bioseq.embed.windows import Window, encode_windows
from bioseq.errors import OptionError
from bioseq.models import Chunk, Encoding, StreamingEncoder
from bioseq.store import Values
from bioseq.tokenizer import Tokens


@dataclass(frozen=True, kw_only=True)
class BlockValues:
    """What the engine gives for some sequences.

    Attributes:
        values: For each output, one row or one stretch of rows for each sequence.
        finite: Whether all numbers of a sequence are finite.
    """

    values: dict[str, Values]
    finite: Bool[np.ndarray, " sequences"]


@dataclass(frozen=True, kw_only=True)
class _Task:
    """The sequences of a block, their tokens, and the room for their values."""

    sequences: Sequence[str]
    tokens: Tokens
    table: ValueTable
    advance: Callable[[int], None]


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

    def run(self, sequences: Sequence[str], advance: Callable[[int], None]) -> BlockValues:
        """Computes the outputs of some sequences.

        Args:
            sequences: Sequences of which every symbol has a token.
            advance: Is told after each step how many residues it did; may raise to end the work.

        Raises:
            OptionError: the memory does not suffice.
        """
        tokens = self.model.tokenizer.encode(sequences)
        table = ValueTable(self.outputs, sequences, self.model.encoder, self.dtype)
        task = _Task(sequences=sequences, tokens=tokens, table=table, advance=advance)
        lengths = np.diff(tokens.offsets)
        is_long = self._is_long(lengths)
        short = np.flatnonzero(~is_long)
        with _inference():
            for batch in plan_batches(lengths[short], self.tokens_per_batch):
                self._run_batch(task, short[batch])
            for index in np.flatnonzero(is_long).tolist():
                try:
                    self._run_long(task, index)
                except torch.OutOfMemoryError:
                    raise self._too_long(sequences[index]) from None
        return BlockValues(values=table.values(), finite=table.finite())

    def _is_long(self, lengths: Int64[np.ndarray, " sequences"]) -> Bool[np.ndarray, " sequences"]:
        if isinstance(self.model.encoder, StreamingEncoder):
            return lengths > self.tokens_per_batch
        if self.window is not None:
            return lengths > self.window.length
        return np.zeros(len(lengths), dtype=bool)

    @property
    def _layers(self) -> list[int]:
        return sorted({output.layer for output in self.outputs})

    def _gather(self, tokens: Tokens, members: Int64[np.ndarray, " batch"]) -> PackedBatch:
        bounds = tokens.offsets
        ids = np.concatenate([tokens.ids[bounds[i] : bounds[i + 1]] for i in members])
        return PackedBatch(
            tokens=torch.from_numpy(ids.astype(np.int64)).to(self.device),
            layout=layout_of((bounds[members + 1] - bounds[members]).tolist(), self.device),
        )

    def _run_batch(self, task: _Task, members: Int64[np.ndarray, " batch"]) -> None:
        if self._try_batch(task, members):
            task.advance(sum(len(task.sequences[i]) for i in members))
        elif len(members) > 1:
            for half in np.array_split(members, 2):
                self._run_batch(task, half)
        else:
            raise self._too_long(task.sequences[int(members[0])])

    def _too_long(self, sequence: str) -> OptionError:
        streams = isinstance(self.model.encoder, StreamingEncoder)
        used = self.tokens_per_batch if streams else self.window and self.window.length
        allowed = f"fewer; a sequence of {len(sequence):,} residues needs more memory than there is"
        return OptionError("tokens_per_batch" if streams else "window", used, allowed=allowed)

    def _try_batch(self, task: _Task, members: Int64[np.ndarray, " batch"]) -> bool:
        """Computes a batch unless the memory is too small; nothing of the attempt stays behind."""
        try:
            batch = self._gather(task.tokens, members)
            encoding = self.model.encoder(batch, layers=self._layers)
            for output in self.outputs:
                self._keep(task, output, members, encoding)
        except torch.OutOfMemoryError:
            return False
        return True

    def _keep(
        self,
        task: _Task,
        output: Output,
        members: Int64[np.ndarray, " batch"],
        encoding: Encoding,
    ) -> None:
        tokenizer, layout = self.model.tokenizer, encoding.layout
        states = encoding.states[self._layers.index(output.layer)]
        prefix, suffix = len(tokenizer.prefix), len(tokenizer.suffix)
        if output.pooling == "cell" and encoding.cells is not None:
            task.table.put_vectors(output, members, encoding.cells)
            return
        if output.pooling != "residue":
            pooled = pool_segments(
                output.pooling, states, layout, num_prefix=prefix, num_suffix=suffix
            )
            task.table.put_vectors(output, members, pooled)
            return
        indices: list[int] = members.tolist()
        for index, part in zip(indices, layout.split(states.cpu()), strict=True):
            content = part[prefix : len(part) - suffix]
            residues = to_residues(content, tokenizer, task.sequences[index])
            task.table.put_residues(output, index, residues)

    def _run_long(self, task: _Task, index: int) -> None:
        tokens, sequence = (
            self._gather(task.tokens, np.array([index])).tokens,
            task.sequences[index],
        )
        collected = [
            LongSequence(
                output,
                index=index,
                sequence=sequence,
                num_tokens=len(tokens),
                tokenizer=self.model.tokenizer,
                table=task.table,
            )
            for output in self.outputs
        ]
        done = 0
        for chunk in self._chunks(tokens):
            for output, values in zip(self.outputs, collected, strict=True):
                states = chunk.states[self._layers.index(output.layer)]
                values.add(states, chunk.start, chunk.cell)
            reached = (chunk.start + len(chunk.states[0])) * len(sequence) // len(tokens)
            task.advance(max(0, reached - done))
            done = max(reached, done)
        for values in collected:
            values.finish()

    def _chunks(self, tokens: Int64[Tensor, " tokens"]) -> Iterator[Chunk]:
        encoder, tokenizer = self.model.encoder, self.model.tokenizer
        if isinstance(encoder, StreamingEncoder):
            return encoder.stream(tokens, chunk=self.tokens_per_batch, layers=self._layers)
        assert self.window is not None, "without a window no sequence is long"
        return encode_windows(
            encoder,
            tokens,
            self.window,
            num_prefix=len(tokenizer.prefix),
            num_suffix=len(tokenizer.suffix),
            layers=self._layers,
        )


@contextmanager
def _inference() -> Iterator[None]:
    """No gradients, and float32 in full: on CUDA, cuDNN would round it to TF32."""
    with (
        torch.inference_mode(),
        torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=False),
    ):
        yield
