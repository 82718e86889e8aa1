"""The last states of sequences of any length, one pass each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from bioseq.batch import PackedBatch, layout_of, plan_batches
from bioseq.checkpoints import Model
from bioseq.embed.windows import Window, encode_windows
from bioseq.models import StreamingEncoder


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """Encodes tokens, short sequences together and long ones as their encoder can.

    Attributes:
        model: On the device.
        device: Where to compute.
        tokens_per_batch: Tokens that go through the encoder at once.
        window: For sequences beyond the encoder's limit; None where it has none.
    """

    model: Model
    device: torch.device
    tokens_per_batch: int
    window: Window | None

    def last_states(
        self, tokens: Sequence[Int64[np.ndarray, " _"]]
    ) -> Iterator[tuple[int, Float[Tensor, "tokens dim"]]]:
        """Gives the last states of each sequence, specials included, by its index; in no order."""
        lengths = np.array([len(t) for t in tokens], dtype=np.int64)
        is_long = self._is_long(lengths)
        short = np.flatnonzero(~is_long)
        for batch in plan_batches(lengths[short], self.tokens_per_batch):
            members = short[batch].tolist()
            packed = pack_parts([tokens[i] for i in members], self.device)
            states = self.model.encoder(packed).states[0]
            yield from zip(members, packed.layout.split(states), strict=True)
        for index in np.flatnonzero(is_long).tolist():
            yield index, self._long_states(torch.from_numpy(tokens[index]).to(self.device))

    def _is_long(self, lengths: Int64[np.ndarray, " sequences"]) -> Bool[np.ndarray, " sequences"]:
        if isinstance(self.model.encoder, StreamingEncoder):
            return lengths > self.tokens_per_batch
        if self.window is not None:
            return lengths > self.window.length
        return np.zeros(len(lengths), dtype=bool)

    def _long_states(self, tokens: Int64[Tensor, " tokens"]) -> Float[Tensor, "tokens dim"]:
        encoder, tokenizer = self.model.encoder, self.model.tokenizer
        if isinstance(encoder, StreamingEncoder):
            chunks = encoder.stream(tokens, chunk=self.tokens_per_batch)
        else:
            assert self.window is not None, "without a window no sequence is long"
            chunks = encode_windows(
                encoder,
                tokens,
                self.window,
                num_prefix=len(tokenizer.prefix),
                num_suffix=len(tokenizer.suffix),
                layers=(-1,),
            )
        ordered = sorted(chunks, key=lambda chunk: chunk.start)
        return torch.cat([chunk.states[0] for chunk in ordered])


def pack_parts(parts: Sequence[Int64[np.ndarray, " _"]], device: torch.device) -> PackedBatch:
    """Makes a batch of token ids."""
    tokens = torch.from_numpy(np.concatenate(parts)).to(device)
    return PackedBatch(tokens=tokens, layout=layout_of([len(part) for part in parts], device))
