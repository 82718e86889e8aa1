"""What an encoder gives, and what every encoder can do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from jaxtyping import Float, Int64
from torch import Tensor, nn

from bioseq.batch import Layout, PackedBatch
from bioseq.errors import OptionError


@dataclass(frozen=True, kw_only=True)
class Encoding:
    """Token states of a packed batch.

    Attributes:
        layout: The batch's segments.
        states: One tensor `[tokens, dim]` for each layer asked for, in the order asked.
        attentions: For each layer, each segment's maps `[heads, length, length]`, if asked for.
        cells: Last cell state of each segment in the last layer; None where `has_cells` is false.
    """

    layout: Layout
    states: tuple[Float[Tensor, "tokens _"], ...]
    attentions: tuple[tuple[Float[Tensor, "heads _ _"], ...], ...] = ()
    cells: Float[Tensor, "segments _"] | None = None


@dataclass(frozen=True, kw_only=True)
class Chunk:
    """Token states of a stretch of one long sequence.

    Attributes:
        start: Place of the first token in the sequence.
        states: One tensor `[tokens, dim]` for each layer asked for.
        cell: The last layer's cell state behind the stretch; None where `has_cells` is false.
    """

    start: int
    states: tuple[Float[Tensor, "tokens _"], ...]
    cell: Float[Tensor, " _"] | None = None


class Encoder(nn.Module, ABC):
    """Turns a packed batch of tokens into token states, and knows nothing of files.

    Layer 0 is the embedded input, layer `num_layers` the output.

    Attributes:
        config: What it was built from.
        num_layers: Layers above the embedded input.
        dim: Width of the output.
        max_tokens: Longest sequence it can read at once, specials included; None for no limit.
        has_cells: Whether it also gives cell states, as forward multiplicative LSTMs do.
    """

    config: Any
    num_layers: int
    dim: int
    max_tokens: int | None = None
    has_cells: bool = False

    @abstractmethod
    def forward(
        self, batch: PackedBatch, *, layers: Sequence[int] = (-1,), attentions: bool = False
    ) -> Encoding:
        """Encodes a batch.

        Args:
            batch: Tokens with their segments.
            layers: Layers whose states to give; negative ones count from the last.
            attentions: Also give every layer's attention maps.

        Raises:
            OptionError: a layer does not exist, or the encoder has no attention maps.
        """

    @property
    def flops_per_token(self) -> float:
        """Multiply-adds times two for one token, without the part that grows with the length."""
        return 2.0 * sum(p.numel() for p in self.parameters() if p.dim() > 1)

    @property
    def flops_per_pair(self) -> float:
        """Multiply-adds times two for each ordered pair of tokens of a sequence: attention."""
        return 0.0

    def layer_dim(self, layer: int) -> int:
        """Returns the width of a layer's states."""
        return self.dim

    def resolve_layers(self, layers: Sequence[int]) -> tuple[int, ...]:
        """Turns layers counted from the last into their numbers.

        Raises:
            OptionError: a layer does not exist.
        """
        last = self.num_layers
        for layer in layers:
            if not -last - 1 <= layer <= last:
                raise OptionError("layer", layer, allowed=f"0 to {last}, or -1 to {-last - 1}")
        return tuple(layer % (last + 1) for layer in layers)


class StreamingEncoder(Encoder):
    """An encoder that reads a long sequence chunk by chunk, with the numbers of one pass."""

    @abstractmethod
    def stream(
        self, tokens: Int64[Tensor, " tokens"], *, chunk: int, layers: Sequence[int] = (-1,)
    ) -> Iterator[Chunk]:
        """Encodes one sequence in chunks, in order.

        Args:
            tokens: The whole sequence, specials included.
            chunk: Tokens at a time; bounds the memory, not the numbers.
            layers: Layers whose states to give.
        """
