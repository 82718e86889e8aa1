"""The Transformer encoder.

Source: Vaswani et al. 2017; pre-norm: Xiong et al. 2020; root mean square norm: Zhang & Sennrich
2019; query and key norm: Henry et al. 2020; token dropout scaling: Rives et al. 2021.
Unlike these, a batch is packed: no token is padding, and attention stays within each sequence.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, cast

import torch
from jaxtyping import Float
from torch import Tensor, nn

from bioseq.batch import Layout, PackedBatch
from bioseq.errors import OptionError
from bioseq.models.encoding import Encoder, Encoding
from bioseq.nn.attention import attend, attention_maps
from bioseq.nn.feed_forward import Activation, FeedForward
from bioseq.nn.position import RelativeBias, Rotary, alibi_bias, rotate, sinusoidal_positions

Position = Literal["none", "learned", "sinusoidal", "rotary", "alibi", "relative"]


@dataclass(frozen=True, kw_only=True)
class TransformerConfig:
    """Shape of a Transformer encoder.

    Attributes:
        vocabulary_size: Tokens.
        dim: Width.
        num_layers: Layers.
        num_heads: Attention heads.
        head_dim: Width of a head; None for `dim / num_heads`.
        feed_forward_dim: Width inside the feed-forward block.
        norm: Normalise before each block (and once at the end) or after it.
        norm_kind: By mean and variance, or by the root mean square alone, without a bias.
        norm_eps: Added to the variance or mean square.
        query_key_norm: Normalise queries and keys, all heads together, before they turn or meet.
        attention_bias: Whether the projections of the attention have biases.
        attention_scale: Factor on the logits; None for `head_dim ** -0.5`.
        residual_scale: Factor on what a block adds to its input.
        position: How the order of the tokens enters.
        activation: Of the feed-forward block.
        gated: Gated feed-forward block.
        feed_forward_bias: Whether the linear maps of the feed-forward block have biases.
        embedding_norm: Normalise the embedded input.
        max_tokens: Longest sequence the model was made for, specials included; None for no limit.
        position_offset: Row of the learned position table for the first token.
        relative_buckets: Buckets of the relative bias.
        relative_distance: Distance from which relative positions share a bucket.
        mask_token: Token whose embedding is zeroed with the others scaled up (token dropout); None
            for none.
        mask_rate: Share of masked tokens in training that token dropout makes up for.
    """

    vocabulary_size: int
    dim: int
    num_layers: int
    num_heads: int
    head_dim: int | None = None
    feed_forward_dim: int
    norm: Literal["pre", "post"] = "pre"
    norm_kind: Literal["layer", "rms"] = "layer"
    norm_eps: float = 1e-5
    query_key_norm: bool = False
    attention_bias: bool = True
    attention_scale: float | None = None
    residual_scale: float = 1.0
    position: Position = "rotary"
    activation: Activation = "gelu"
    gated: bool = False
    feed_forward_bias: bool = True
    embedding_norm: bool = False
    max_tokens: int | None = None
    position_offset: int = 0
    relative_buckets: int = 32
    relative_distance: int = 128
    mask_token: int | None = None
    mask_rate: float = 0.12

    def __post_init__(self) -> None:
        if self.head_dim is None and self.dim % self.num_heads:
            raise OptionError("dim", self.dim, allowed=f"multiples of num_heads = {self.num_heads}")
        if self.position == "rotary" and self.head_width % 2:
            raise OptionError(
                "head_dim", self.head_width, allowed="even widths with rotary positions"
            )
        if self.position == "learned" and self.max_tokens is None:
            raise OptionError("max_tokens", None, allowed="a number with learned positions")

    @property
    def head_width(self) -> int:
        """Width of one attention head."""
        return self.head_dim or self.dim // self.num_heads

    @property
    def attention_dim(self) -> int:
        """Width of all heads together."""
        return self.num_heads * self.head_width


def build_norm(config: TransformerConfig, dim: int) -> nn.LayerNorm | nn.RMSNorm:
    """Builds a norm of the config's kind."""
    kind = nn.RMSNorm if config.norm_kind == "rms" else nn.LayerNorm
    return kind(dim, eps=config.norm_eps)


@dataclass(frozen=True, kw_only=True)
class Geometry:
    """What the layers of one pass share: the segments and the positional terms.

    Attributes:
        layout: The batch's segments.
        rotation: Cosine and sine for rotary positions.
        bias: Attention bias for relative positions, up to the longest segment.
    """

    layout: Layout
    rotation: tuple[Tensor, Tensor] | None = None
    bias: Float[Tensor, "heads longest longest"] | None = None


class SelfAttention(nn.Module):
    """Multi-head attention of each token to its own sequence."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.num_heads = config.num_heads
        self.scale = config.attention_scale
        self.normalises = config.query_key_norm
        inner = config.attention_dim
        self.query_key_value = nn.Linear(config.dim, 3 * inner, bias=config.attention_bias)
        self.query_norm = build_norm(config, inner) if config.query_key_norm else nn.Identity()
        self.key_norm = build_norm(config, inner) if config.query_key_norm else nn.Identity()
        self.output = nn.Linear(inner, config.dim, bias=config.attention_bias)

    def _project(
        self, x: Float[Tensor, "tokens dim"], geometry: Geometry
    ) -> tuple[Float[Tensor, "tokens heads head_dim"], ...]:
        qkv = self.query_key_value(x)
        if self.normalises:
            q, k, v = qkv.chunk(3, dim=-1)
            qkv = torch.cat([self.query_norm(q), self.key_norm(k), v], dim=-1)
        qkv = qkv.unflatten(-1, (3 * self.num_heads, -1))
        qk, v = qkv.split([2 * self.num_heads, self.num_heads], dim=1)
        if geometry.rotation is not None:
            qk = rotate(qk, *geometry.rotation)
        q, k = qk.chunk(2, dim=1)
        return q, k, v

    def forward(
        self, x: Float[Tensor, "tokens dim"], geometry: Geometry
    ) -> Float[Tensor, "tokens dim"]:
        """Attends within each segment."""
        q, k, v = self._project(x, geometry)
        attended = attend(q, k, v, geometry.layout, bias=geometry.bias, scale=self.scale)
        return self.output(attended.flatten(1))

    def maps(
        self, x: Float[Tensor, "tokens dim"], geometry: Geometry
    ) -> tuple[Float[Tensor, "heads length length"], ...]:
        """Gives each segment's attention probabilities."""
        q, k, _ = self._project(x, geometry)
        return attention_maps(q, k, geometry.layout, bias=geometry.bias, scale=self.scale)


class TransformerLayer(nn.Module):
    """Self-attention and feed-forward, each with a residual and a norm before or after."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.pre_norm = config.norm == "pre"
        self.residual_scale = config.residual_scale
        self.attention_norm = build_norm(config, config.dim)
        self.attention = SelfAttention(config)
        self.feed_forward_norm = build_norm(config, config.dim)
        self.feed_forward = FeedForward(
            config.dim,
            config.feed_forward_dim,
            activation=config.activation,
            gated=config.gated,
            bias=config.feed_forward_bias,
        )

    def forward(
        self, x: Float[Tensor, "tokens dim"], geometry: Geometry
    ) -> Float[Tensor, "tokens dim"]:
        """Transforms the token states."""
        if self.pre_norm:
            x = self._add(x, self.attention(self.attention_norm(x), geometry))
            return self._add(x, self.feed_forward(self.feed_forward_norm(x)))
        x = self.attention_norm(self._add(x, self.attention(x, geometry)))
        return self.feed_forward_norm(self._add(x, self.feed_forward(x)))

    def _add(
        self, x: Float[Tensor, "tokens dim"], change: Float[Tensor, "tokens dim"]
    ) -> Float[Tensor, "tokens dim"]:
        return torch.add(x, change, alpha=self.residual_scale)

    def maps(
        self, x: Float[Tensor, "tokens dim"], geometry: Geometry
    ) -> tuple[Float[Tensor, "heads length length"], ...]:
        """Gives the attention maps that `forward` uses on the same input."""
        return self.attention.maps(self.attention_norm(x) if self.pre_norm else x, geometry)


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
        """Gives layer 0."""
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
