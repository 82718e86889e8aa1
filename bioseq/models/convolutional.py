"""Dilated residual convolutions: every output sees a fixed window of its sequence.

Source: Kalchbrenner et al. 2016 (ByteNet); Yang et al. 2024 (CARP), centred instead of causal.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from jaxtyping import Float, Int64
from torch import Tensor, nn

from bioseq.batch import PackedBatch, layout_of
from bioseq.errors import OptionError
from bioseq.models.encoding import Chunk, Encoding, StreamingEncoder
from bioseq.nn.convolution import ConvolutionStack


@dataclass(frozen=True, kw_only=True)
class ConvolutionalConfig:
    """Shape of a convolutional encoder.

    Attributes:
        vocabulary_size: Tokens.
        dim: Width of every layer.
        kernel: Taps of each convolution; odd.
        dilations: Distance between taps, one layer for each.
    """

    vocabulary_size: int
    dim: int
    kernel: int
    dilations: tuple[int, ...]

    def __post_init__(self) -> None:
        if self.kernel % 2 == 0:
            raise OptionError("kernel", self.kernel, allowed="odd numbers")


class ConvolutionalEncoder(StreamingEncoder):
    """Embedding, residual convolutions, final norm."""

    def __init__(self, config: ConvolutionalConfig) -> None:
        super().__init__()
        self.config = config
        self.num_layers = len(config.dilations)
        self.dim = config.dim
        self.embedding = nn.Embedding(config.vocabulary_size, config.dim)
        self.stack = ConvolutionStack(config.dim, kernel=config.kernel, dilations=config.dilations)
        self.final_norm = nn.LayerNorm(config.dim)

    def forward(
        self, batch: PackedBatch, *, layers: Sequence[int] = (-1,), attentions: bool = False
    ) -> Encoding:
        """Encodes a batch; see `Encoder.forward`."""
        if attentions:
            raise OptionError("attentions", attentions, allowed="False: convolutions have no maps")
        states = self.stack(self.embedding(batch.tokens), batch.layout)
        states[-1] = self.final_norm(states[-1])
        return Encoding(
            layout=batch.layout, states=tuple(states[k] for k in self.resolve_layers(layers))
        )

    def stream(
        self, tokens: Int64[Tensor, " tokens"], *, chunk: int, layers: Sequence[int] = (-1,)
    ) -> Iterator[Chunk]:
        """Encodes overlapping stretches and keeps of each what its edges can't reach."""
        for start in range(0, len(tokens), chunk):
            yield Chunk(start=start, states=self._stretch(tokens, start, chunk, layers))

    def _stretch(
        self, tokens: Int64[Tensor, " tokens"], start: int, length: int, layers: Sequence[int]
    ) -> tuple[Float[Tensor, "stretch dim"], ...]:
        first = max(0, start - self.stack.reach)
        seen = tokens[first : start + length + self.stack.reach]
        batch = PackedBatch(tokens=seen, layout=layout_of([len(seen)], tokens.device))
        kept = slice(start - first, start - first + length)
        return tuple(state[kept] for state in self(batch, layers=layers).states)
