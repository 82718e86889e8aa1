"""Scaled dot-product attention within the segments of a packed batch."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import cast

import torch
from einops import rearrange
from jaxtyping import Float, Int32
from torch import Tensor
from torch.nn import functional

from bioseq.batch import Layout

_HALF = (torch.float16, torch.bfloat16)
_AMPERE = (8, 0)  # the oldest GPU generation that the kernel runs on


def attend(
    query: Float[Tensor, "tokens heads head_dim"],
    key: Float[Tensor, "tokens heads head_dim"],
    value: Float[Tensor, "tokens heads head_dim"],
    layout: Layout,
    *,
    bias: Float[Tensor, "heads longest longest"] | None = None,
    scale: float | None = None,
) -> Float[Tensor, "tokens heads head_dim"]:
    """Attends within each segment; no token sees another segment.

    Segments of equal length run as one dense call; on a GPU in half precision, without bias and
    with the usual scale, all segments run as one. The bias, for relative positions, is cut to each
    length: entry (i, j) is added to the logit of query i and key j.

    Args:
        query: Queries.
        key: Keys.
        value: Values.
        layout: The segments.
        bias: Added to the logits; at least as long as the longest segment.
        scale: Factor on the logits; `head_dim ** -0.5` by default.

    Source: Vaswani et al. 2017, section 3.2.1.
    """
    plain = bias is None and scale is None
    kernel = _load_varlen() if plain and _fits_varlen(query) else None
    if kernel is not None:
        bounds, longest = _bounds(layout), layout.max_length
        return kernel(query, key, value, bounds, bounds, longest, longest)
    sizes = [group.count * group.length for group in layout.groups]
    parts = []
    for group, *qkv in zip(
        layout.groups, query.split(sizes), key.split(sizes), value.split(sizes), strict=True
    ):
        q, k, v = (rearrange(x, "(n l) h d -> n l h d", n=group.count) for x in qkv)
        cut = None if bias is None else bias[:, : group.length, : group.length]
        attended = attend_dense(q, k, v, bias=cut, scale=scale)
        parts.append(rearrange(attended, "n l h d -> (n l) h d"))
    return torch.cat(parts)


def attend_dense(
    query: Float[Tensor, "rows queries heads head_dim"],
    key: Float[Tensor, "rows keys heads head_dim"],
    value: Float[Tensor, "rows keys heads head_dim"],
    *,
    bias: Float[Tensor, "*broadcast keys"] | None = None,
    scale: float | None = None,
) -> Float[Tensor, "rows queries heads head_dim"]:
    """Attends within rows of equal length: axial attention, and segments of one length.

    Args:
        query: Queries.
        key: Keys.
        value: Values.
        bias: Added to the logits; broadcast over rows and heads where its sizes there are 1.
        scale: Factor on the logits; `head_dim ** -0.5` by default.
    """
    q, k, v = (rearrange(x, "r l h d -> r h l d") for x in (query, key, value))
    attended = functional.scaled_dot_product_attention(q, k, v, attn_mask=bias, scale=scale)
    return rearrange(attended, "r h l d -> r l h d")


@cache
def _load_varlen() -> Callable[..., Tensor] | None:
    """Gives the kernel over packed segments; its import is most of torch's, so only GPUs pay it."""
    try:  # torch 2.10 and newer
        from torch.nn.attention.varlen import varlen_attn
    except ImportError:
        return None
    return cast("Callable[..., Tensor]", varlen_attn)


def _fits_varlen(query: Float[Tensor, "tokens heads head_dim"]) -> bool:
    return (
        query.is_cuda
        and query.dtype in _HALF
        and query.shape[-1] % 8 == 0
        and torch.cuda.get_device_capability(query.device) >= _AMPERE
    )


def _bounds(layout: Layout) -> Int32[Tensor, " bounds"]:
    return functional.pad(layout.length_tensor.cumsum(0), (1, 0)).int()


def attention_maps(
    query: Float[Tensor, "tokens heads head_dim"],
    key: Float[Tensor, "tokens heads head_dim"],
    layout: Layout,
    *,
    bias: Float[Tensor, "heads longest longest"] | None = None,
    scale: float | None = None,
) -> tuple[Float[Tensor, "heads length length"], ...]:
    """Returns each segment's attention probabilities; needs length squared memory."""
    factor = query.shape[-1] ** -0.5 if scale is None else scale
    maps = []
    for q, k in zip(layout.split(query), layout.split(key), strict=True):
        logits = torch.einsum("ihd,jhd->hij", q, k) * factor
        if bias is not None:
            logits = logits + bias[:, : len(q), : len(q)]
        maps.append(logits.softmax(dim=-1))
    return tuple(maps)
