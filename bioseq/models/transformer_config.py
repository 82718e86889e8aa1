"""The shape of a Transformer encoder: every choice that published models made differently."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bioseq.errors import OptionError
from bioseq.nn.feed_forward import Activation

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
