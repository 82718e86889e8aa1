"""The sweep: every sequence of a block once through the encoder, whatever becomes of the states."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Bool, Int64
from torch import Tensor

from bioseq.batch import PackedBatch, pack_parts, plan_batches
from bioseq.checkpoints import Model
from bioseq.errors import OptionError
from bioseq.models import Chunk, Encoding, StreamingEncoder
from bioseq.nn.inference import inference
from bioseq.runs.windows import Window, encode_windows
from bioseq.tokenizer import Tokens


@runtime_checkable
class LongCollector(Protocol):
    """Takes the states of one long sequence."""

    def add(self, chunk: Chunk) -> None:
        """Takes the next chunk; see `Encoder.stream` and `encode_windows` for their order."""
        ...

    def finish(self) -> None:
        """Is called behind the last chunk."""
        ...


@runtime_checkable
class Collector(Protocol):
    """Takes the states of the sequences of a block, in any order."""

    def take(
        self,
        members: Int64[np.ndarray, " batch"],
        encoding: Encoding,
    ) -> None:
        """Takes a batch: the indices of its sequences, and what the encoder gave for them."""
        ...

    def begin_long(self, index: int, num_tokens: int) -> LongCollector:
        """Is called before the chunks of a long sequence."""
        ...


@dataclass(frozen=True, kw_only=True)
class EncoderRunner:
    """How sequences go through an encoder.

    Attributes:
        model: Encoder and tokenizer, on the device and in the precision to use.
        layers: Layers whose states are collected, in rising order.
        device: Where to compute.
        tokens_per_batch: Tokens that go through the encoder at once.
        window: For sequences beyond the encoder's limit; None where it has none.
    """

    model: Model
    layers: Sequence[int]
    device: torch.device
    tokens_per_batch: int
    window: Window | None

    def run(
        self, sequences: Sequence[str], collector: Collector, advance: Callable[[int], None]
    ) -> None:
        """Encodes some sequences.

        Args:
            sequences: Sequences of which every symbol has a token.
            collector: Takes the states.
            advance: Is told after each step how many residues it did; may raise to end the work.

        Raises:
            OptionError: the memory does not suffice.
        """
        tokens = self.model.tokenizer.encode(sequences)
        lengths = np.diff(tokens.offsets)
        is_long = self._is_long(lengths)
        short = np.flatnonzero(~is_long)
        work = _Work(sequences=sequences, tokens=tokens, collector=collector, advance=advance)
        with inference():
            for batch in plan_batches(lengths[short], self.tokens_per_batch):
                self._run_batch(work, short[batch])
            for index in np.flatnonzero(is_long).tolist():
                try:
                    self._run_long(work, index)
                except torch.OutOfMemoryError:
                    raise self._too_long(sequences[index]) from None

    def _is_long(self, lengths: Int64[np.ndarray, " sequences"]) -> Bool[np.ndarray, " sequences"]:
        if isinstance(self.model.encoder, StreamingEncoder):
            return lengths > self.tokens_per_batch
        if self.window is not None:
            return lengths > self.window.length
        return np.zeros(len(lengths), dtype=bool)

    def _gather(self, tokens: Tokens, members: Int64[np.ndarray, " batch"]) -> PackedBatch:
        bounds = tokens.offsets
        return pack_parts([tokens.ids[bounds[i] : bounds[i + 1]] for i in members], self.device)

    def _run_batch(self, work: _Work, members: Int64[np.ndarray, " batch"]) -> None:
        if self._try_batch(work, members):
            work.advance(sum(len(work.sequences[i]) for i in members))
        elif len(members) > 1:
            for half in np.array_split(members, 2):
                self._run_batch(work, half)
        else:
            raise self._too_long(work.sequences[int(members[0])])

    def _try_batch(self, work: _Work, members: Int64[np.ndarray, " batch"]) -> bool:
        """Computes a batch unless the memory is too small; a repetition overwrites the attempt."""
        try:
            batch = self._gather(work.tokens, members)
            work.collector.take(members, self.model.encoder(batch, layers=self.layers))
        except torch.OutOfMemoryError:
            return False
        return True

    def _too_long(self, sequence: str) -> OptionError:
        streams = isinstance(self.model.encoder, StreamingEncoder)
        used = self.tokens_per_batch if streams else self.window and self.window.length
        allowed = f"fewer; a sequence of {len(sequence):,} residues needs more memory than there is"
        return OptionError("tokens_per_batch" if streams else "window", used, allowed=allowed)

    def _run_long(self, work: _Work, index: int) -> None:
        tokens = self._gather(work.tokens, np.array([index])).tokens
        collector = work.collector.begin_long(index, len(tokens))
        length, done = len(work.sequences[index]), 0
        for chunk in self._chunks(tokens):
            collector.add(chunk)
            reached = (chunk.start + len(chunk.states[0])) * length // len(tokens)
            work.advance(max(0, reached - done))
            done = max(reached, done)
        collector.finish()

    def _chunks(self, tokens: Int64[Tensor, " tokens"]) -> Iterator[Chunk]:
        encoder, tokenizer = self.model.encoder, self.model.tokenizer
        if isinstance(encoder, StreamingEncoder):
            return encoder.stream(tokens, chunk=self.tokens_per_batch, layers=self.layers)
        assert self.window is not None, "without a window no sequence is long"
        return encode_windows(
            encoder,
            tokens,
            self.window,
            num_prefix=len(tokenizer.prefix),
            num_suffix=len(tokenizer.suffix),
            layers=self.layers,
        )


@dataclass(frozen=True, kw_only=True)
class _Work:
    """The sequences of a block, their tokens, and where the states go."""

    sequences: Sequence[str]
    tokens: Tokens
    collector: Collector
    advance: Callable[[int], None]
