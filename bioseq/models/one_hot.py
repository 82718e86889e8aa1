"""The encoder that learns nothing: one number for each token of the vocabulary, 1 for the own one.

The baseline of every learned encoder, and the input of heads that learn from the symbols alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Int64
from torch import Tensor

from bioseq.batch import PackedBatch, layout_of
from bioseq.errors import OptionError
from bioseq.models.encoding import Chunk, Encoding, StreamingEncoder


@dataclass(frozen=True, kw_only=True)
class OneHotConfig:
    """Shape of a one-hot encoder.

    Attributes:
        vocabulary_size: Tokens.
    """

    vocabulary_size: int


class OneHotEncoder(StreamingEncoder):
    """Rows of the identity matrix; its only layer is layer 0."""

    identity: Tensor

    def __init__(self, config: OneHotConfig) -> None:
        super().__init__()
        self.config = config
        self.num_layers = 0
        self.dim = config.vocabulary_size
        self.register_buffer("identity", torch.eye(config.vocabulary_size), persistent=False)

    @property
    def flops_per_token(self) -> float:
        """One number copied for each place of the vocabulary."""
        return float(self.dim)

    def forward(
        self, batch: PackedBatch, *, layers: Sequence[int] = (-1,), attentions: bool = False
    ) -> Encoding:
        """Encodes a batch; see `Encoder.forward`."""
        if attentions:
            raise OptionError("attentions", attentions, allowed="False: one-hot has no maps")
        states = self.identity[batch.tokens]
        return Encoding(layout=batch.layout, states=(states,) * len(self.resolve_layers(layers)))

    def stream(
        self, tokens: Int64[Tensor, " tokens"], *, chunk: int, layers: Sequence[int] = (-1,)
    ) -> Iterator[Chunk]:
        """Encodes one stretch after the other."""
        for start in range(0, len(tokens), chunk):
            seen = tokens[start : start + chunk]
            batch = PackedBatch(tokens=seen, layout=layout_of([len(seen)], tokens.device))
            yield Chunk(start=start, states=self(batch, layers=layers).states)
