"""Stacks of recurrent layers, one- or two-directional, with or without convolutions in front.

Source: Elman 1990 (RNN); Hochreiter & Schmidhuber 1997 (LSTM); Cho et al. 2014 (GRU); Krause et al.
2016 (multiplicative LSTM); Peters et al. 2018 (two independent directions). Unlike these, every
sequence of a batch is read without padding, and one of any length chunk by chunk.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, cast

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from bioseq.batch import PackedBatch, layout_of
from bioseq.errors import OptionError
from bioseq.models.encoding import Chunk, Encoding, StreamingEncoder
from bioseq.nn.convolution import ConvolutionStack
from bioseq.nn.recurrence import Cell, Recurrence, State
from bioseq.nn.scratch import scratch

Direction = Literal["forward", "bidirectional", "independent"]


@dataclass(frozen=True, kw_only=True)
class RecurrentConfig:
    """Shape of a recurrent encoder.

    Attributes:
        vocabulary_size: Tokens.
        embedding_dim: Width of the embedded input.
        hidden_dim: Width of the state of each layer and direction.
        num_layers: Recurrent layers.
        cell: `rnn`, `lstm`, `gru` or `mlstm`.
        direction: `forward`; `bidirectional`, where each layer reads both directions of the one
            below; `independent`, where the two directions meet only in the output.
        kernel: Taps of the convolutions in front; odd.
        dilations: Distance between taps, one convolution for each; empty for none.
    """

    vocabulary_size: int
    embedding_dim: int
    hidden_dim: int
    num_layers: int
    cell: Cell
    direction: Direction
    kernel: int = 1
    dilations: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.num_layers < 1:
            raise OptionError("num_layers", self.num_layers, allowed="1 or more")
        if self.kernel % 2 == 0:
            raise OptionError("kernel", self.kernel, allowed="odd numbers")

    @property
    def num_directions(self) -> int:
        """1 or 2."""
        return 1 if self.direction == "forward" else 2

    def input_dim(self, layer: int) -> int:
        """Width of a layer's input, counted from 0."""
        if layer == 0:
            return self.embedding_dim
        return self.hidden_dim * (2 if self.direction == "bidirectional" else 1)


class RecurrentEncoder(StreamingEncoder):
    """Embedding, convolutions if any, recurrent layers; a layer's state joins its directions."""

    def __init__(self, config: RecurrentConfig) -> None:
        super().__init__()
        self.config = config
        self.num_layers = config.num_layers
        self.dim = config.hidden_dim * config.num_directions
        self.has_cells = config.cell == "mlstm" and config.direction == "forward"
        self.embedding = nn.Embedding(config.vocabulary_size, config.embedding_dim)
        self.stack = ConvolutionStack(
            config.embedding_dim, kernel=config.kernel, dilations=config.dilations
        )
        self.forward_layers = self._build_layers(backward=False)
        self.backward_layers = self._build_layers(backward=True)

    def layer_dim(self, layer: int) -> int:
        """Returns the width of a layer's states; that of the embedded input differs."""
        return self.dim if layer else self.config.embedding_dim

    def _build_layers(self, *, backward: bool) -> nn.ModuleList:
        config = self.config
        wanted = 0 if backward and config.direction == "forward" else config.num_layers
        return nn.ModuleList(
            Recurrence(config.cell, config.input_dim(k), config.hidden_dim, backward=backward)
            for k in range(wanted)
        )

    def forward(
        self, batch: PackedBatch, *, layers: Sequence[int] = (-1,), attentions: bool = False
    ) -> Encoding:
        """Encodes a batch; see `Encoder.forward`."""
        if attentions:
            raise OptionError("attentions", attentions, allowed="False: recurrence has no maps")
        states = [self.stack(self.embedding(batch.tokens), batch.layout)[-1]]
        inputs = [states[0]] * self.config.num_directions
        cells: Tensor | None = None
        for pair in self._layer_pairs():
            results = [
                layer.forward_with_cells(x, batch.layout)
                for layer, x in zip(pair, inputs, strict=True)
            ]
            outputs, cells = [hidden for hidden, _ in results], results[0][1]
            states.append(torch.cat(outputs, dim=-1))
            inputs = [states[-1]] * 2 if self.config.direction == "bidirectional" else outputs
        return Encoding(
            layout=batch.layout,
            states=tuple(states[k] for k in self.resolve_layers(layers)),
            cells=cells if self.has_cells else None,
        )

    def _layer_pairs(self) -> list[tuple[Recurrence, ...]]:
        stacks = (self.forward_layers, self.backward_layers)[: self.config.num_directions]
        return cast("list[tuple[Recurrence, ...]]", list(zip(*stacks, strict=True)))

    def stream(
        self, tokens: Int64[Tensor, " tokens"], *, chunk: int, layers: Sequence[int] = (-1,)
    ) -> Iterator[Chunk]:
        """Encodes one sequence in chunks with carried state.

        Forward layers need one chunk in memory. A backward layer's states are kept (on disk when
        large) until the forward sweep meets them.
        """
        wanted = self.resolve_layers(layers)
        if self.config.direction == "bidirectional":
            yield from self._stream_layer_by_layer(tokens, chunk, wanted)
        else:
            yield from self._stream_stack(tokens, chunk, wanted)

    def _embed(
        self, tokens: Int64[Tensor, " tokens"], start: int, stop: int
    ) -> Float[Tensor, "stretch dim"]:
        """Embeds a stretch as it would be within the whole sequence."""
        first = max(0, start - self.stack.reach)
        seen = tokens[first : stop + self.stack.reach]
        embedded = self.stack(self.embedding(seen), layout_of([len(seen)], seen.device))[-1]
        return embedded[start - first : stop - first]

    def _sweep_stack(
        self,
        stack: Sequence[Recurrence],
        tokens: Int64[Tensor, " tokens"],
        stretches: Sequence[tuple[int, int]],
    ) -> Iterator[tuple[int, int, list[Tensor], State]]:
        """Runs one direction's layers over the stretches in its own order.

        Gives bounds, states of every layer, and what the last layer carries on, for each stretch.
        """
        carried: list[State | None] = [None] * len(stack)
        for start, stop in stretches:
            states = [self._embed(tokens, start, stop)]
            for k, layer in enumerate(stack):
                out, carried[k] = layer.advance(states[-1], carried[k])
                states.append(out)
            yield start, stop, states, cast("State", carried[-1])

    def _stream_stack(
        self, tokens: Int64[Tensor, " tokens"], chunk: int, wanted: tuple[int, ...]
    ) -> Iterator[Chunk]:
        stretches = _stretches(len(tokens), chunk)
        forward, *backward = zip(*self._layer_pairs(), strict=True)
        kept: dict[int, Tensor] = {}
        if backward:
            dtype = self.embedding.weight.dtype
            kept = {
                k: scratch(len(tokens), self.config.hidden_dim, dtype) for k in set(wanted) - {0}
            }
            for start, stop, states, _ in self._sweep_stack(backward[0], tokens, stretches[::-1]):
                for k, rows in kept.items():
                    rows[start:stop] = states[k]
        for start, stop, states, carried in self._sweep_stack(forward, tokens, stretches):
            for k, rows in kept.items():
                states[k] = torch.cat([states[k], rows[start:stop].to(tokens.device)], dim=-1)
            cell = carried[1][0, 0] if self.has_cells else None
            yield Chunk(start=start, states=tuple(states[k] for k in wanted), cell=cell)

    def _stream_layer_by_layer(
        self, tokens: Int64[Tensor, " tokens"], chunk: int, wanted: tuple[int, ...]
    ) -> Iterator[Chunk]:
        stretches = _stretches(len(tokens), chunk)
        below: Tensor | None = None
        kept: dict[int, Tensor] = {}
        for k, pair in enumerate(self._layer_pairs(), start=1):
            out = scratch(len(tokens), self.dim, self.embedding.weight.dtype)
            for layer, columns in zip(
                pair, (slice(0, self.dim // 2), slice(self.dim // 2, None)), strict=True
            ):
                self._sweep_layer(layer, tokens, below, stretches, out[:, columns])
            below = out
            if k in wanted:
                kept[k] = out
        for start, stop in stretches:
            states = {k: rows[start:stop].to(tokens.device) for k, rows in kept.items()}
            if 0 in wanted:
                states[0] = self._embed(tokens, start, stop)
            yield Chunk(start=start, states=tuple(states[k] for k in wanted))

    def _sweep_layer(
        self,
        layer: Recurrence,
        tokens: Int64[Tensor, " tokens"],
        below: Tensor | None,
        stretches: Sequence[tuple[int, int]],
        out: Tensor,
    ) -> None:
        state: State | None = None
        for start, stop in stretches[::-1] if layer.backward else stretches:
            x = (
                self._embed(tokens, start, stop)
                if below is None
                else below[start:stop].to(tokens.device)
            )
            out[start:stop], state = layer.advance(x, state)


def _stretches(length: int, chunk: int) -> list[tuple[int, int]]:
    return [(start, min(start + chunk, length)) for start in range(0, length, chunk)]
