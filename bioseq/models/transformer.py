"""The Transformer encoder.

Source: Vaswani et al. 2017; token dropout scaling: Rives et al. 2021. Unlike these, a batch is
packed: no token is padding, and attention stays within each sequence.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from bioseq.batch import Layout, PackedBatch
from bioseq.errors import OptionError
from bioseq.models.encoding import Encoder, Encoding
from bioseq.models.transformer_config import TransformerConfig
from bioseq.models.transformer_layer import Geometry, TransformerLayer, build_norm
from bioseq.nn.position import RelativeBias, Rotary, alibi_bias, sinusoidal_positions


class TokenEmbedding(nn.Module):
    """Embeds tokens, adds absolute positions where the model has them, applies token dropout."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.config = config
        self.tokens = nn.Embedding(config.vocabulary_size, config.dim)
        if config.position == "learned":
            rows = (config.max_tokens or 0) + config.position_offset
            self.positions = nn.Embedding(rows, config.dim)
        self.norm = build_norm(config, config.dim) if config.embedding_norm else nn.Identity()

    def forward(self, batch: PackedBatch) -> Float[Tensor, "tokens dim"]:
        """Returns layer 0."""
        x = self.tokens(batch.tokens)
        if self.config.mask_token is not None:
            x = x * self._dropout_scale(batch, self.config.mask_token)[:, None].to(x)
        if self.config.position == "learned":
            x = x + self.positions(batch.layout.positions + self.config.position_offset)
        if self.config.position == "sinusoidal":
            x = x + sinusoidal_positions(batch.layout.positions, self.config.dim).to(x)
        return self.norm(x)

    def _dropout_scale(self, batch: PackedBatch, mask_token: int) -> Float[Tensor, " tokens"]:
        """Zero for masked tokens; for the others, training's share of them over this sequence's."""
        layout = batch.layout
        masked = batch.tokens == mask_token
        counts = torch.zeros(layout.num_segments, device=masked.device)
        counts = counts.index_add(0, layout.segments, masked.float())
        scale = (1 - self.config.mask_rate) / (1 - counts / layout.length_tensor)
        return torch.where(masked, 0.0, scale[layout.segments])


class TransformerEncoder(Encoder):
    """Embedding, layers, and a final norm where the norm comes before the blocks."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.config = config
        self.num_layers = config.num_layers
        self.dim = config.dim
        self.max_tokens = config.max_tokens
        self.embedding = TokenEmbedding(config)
        self.layers = nn.ModuleList(TransformerLayer(config) for _ in range(config.num_layers))
        self.final_norm = build_norm(config, config.dim) if config.norm == "pre" else nn.Identity()
        if config.position == "rotary":
            self.rotary = Rotary(config.head_width)
        if config.position == "relative":
            self.relative = RelativeBias(
                config.num_heads, config.relative_buckets, config.relative_distance
            )

    def forward(
        self, batch: PackedBatch, *, layers: Sequence[int] = (-1,), attentions: bool = False
    ) -> Encoding:
        """Encodes a batch; see `Encoder.forward`.

        Raises:
            OptionError: also where a sequence exceeds the length limit.
        """
        self._check_length(batch.layout)
        wanted = self.resolve_layers(layers)
        geometry = self._geometry(batch.layout)
        x = self.embedding(batch)
        kept = {0: x}
        maps = []
        stack = cast("Iterable[TransformerLayer]", self.layers)
        for number, layer in enumerate(stack, start=1):
            if attentions:
                maps.append(layer.maps(x, geometry))
            x = layer(x, geometry)
            if number in wanted and number < self.num_layers:
                kept[number] = x
        kept[self.num_layers] = self.final_norm(x)
        return Encoding(
            layout=batch.layout, states=tuple(kept[k] for k in wanted), attentions=tuple(maps)
        )

    @property
    def flops_per_pair(self) -> float:
        """Two products in every layer: queries with keys, attention with values."""
        return 4.0 * self.config.attention_dim * self.num_layers

    def maps(self, batch: PackedBatch) -> Iterator[tuple[Float[Tensor, "heads _ _"], ...]]:
        """Gives each segment's attention maps, layer by layer, so that one layer's exist at a time.

        Raises:
            OptionError: a sequence exceeds the length limit.
        """
        self._check_length(batch.layout)
        geometry = self._geometry(batch.layout)
        x = self.embedding(batch)
        for layer in cast("Iterable[TransformerLayer]", self.layers):
            yield layer.maps(x, geometry)
            x = layer(x, geometry)

    def _check_length(self, layout: Layout) -> None:
        if self.max_tokens is not None and layout.max_length > self.max_tokens:
            raise OptionError("sequence length", layout.max_length, allowed=f"to {self.max_tokens}")

    def _geometry(self, layout: Layout) -> Geometry:
        match self.config.position:
            case "rotary":
                return Geometry(layout=layout, rotation=self.rotary.angles(layout.positions))
            case "alibi":
                bias = alibi_bias(self.config.num_heads, layout.max_length, layout.device)
                return Geometry(layout=layout, bias=bias.to(self.embedding.tokens.weight))
            case "relative":
                return Geometry(layout=layout, bias=self.relative(layout.max_length))
            case _:
                return Geometry(layout=layout)
