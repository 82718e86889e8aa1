"""One layer of the Transformer: attention within each sequence of a packed batch, feed-forward.

Source: Vaswani et al. 2017; pre-norm: Xiong et al. 2020; root mean square norm: Zhang & Sennrich
2019; query and key norm: Henry et al. 2020.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from bioseq.batch import Layout
from bioseq.models.transformer_config import TransformerConfig
from bioseq.nn.attention import attend, attention_maps
from bioseq.nn.feed_forward import FeedForward
from bioseq.nn.position import rotate


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
        """Returns each segment's attention probabilities."""
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
        """Returns the attention maps that `forward` uses on the same input."""
        return self.attention.maps(self.attention_norm(x) if self.pre_norm else x, geometry)
