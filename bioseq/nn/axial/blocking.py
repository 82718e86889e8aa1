"""Work in blocks of rows: the memory is bounded and the numbers are those of one piece."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import torch
from jaxtyping import Float
from torch import Tensor

from bioseq.errors import OptionError

DEFAULT_BLOCK_BYTES = 12 * 2**20  # fits the caches that cores share, so that it is also fast
_block_bytes: ContextVar[int] = ContextVar("block_bytes", default=DEFAULT_BLOCK_BYTES)


@contextmanager
def block_memory(num_bytes: int) -> Iterator[None]:
    """Bounds what the axial layers keep for the rows they work on, in inference.

    The representations themselves, a pair bias and one operand of a triangle multiplication are not
    counted: they are whole at any bound. At least one row is worked on, whatever the bound.

    Args:
        num_bytes: Bytes of working memory beside these.

    Raises:
        OptionError: it is not positive.
    """
    if num_bytes < 1:
        raise OptionError("block memory", num_bytes, allowed="1 byte or more")
    token = _block_bytes.set(num_bytes)
    try:
        yield
    finally:
        _block_bytes.reset(token)


def block_slices(count: int, bytes_per_row: int, *, share: float = 1.0) -> Iterator[slice]:
    """Cuts rows into blocks of nearly equal size that fit the block memory, or a share of it."""
    most = max(1, int(_block_bytes.get() * share) // bytes_per_row)
    num_blocks = -(-count // most)
    for number in range(num_blocks):
        yield slice(number * count // num_blocks, (number + 1) * count // num_blocks)


def join(blocks: Iterable[Tensor], axis: int, length: int) -> Tensor:
    """Joins consecutive blocks; in inference without ever holding all of them twice.

    Args:
        blocks: At least one.
        axis: Axis that they were cut on.
        length: Size of the whole along this axis.
    """
    if torch.is_grad_enabled():
        return torch.cat(list(blocks), dim=axis)
    blocks = iter(blocks)
    first = next(blocks)
    start = first.shape[axis]
    if start == length:
        return first
    shape = list(first.shape)
    shape[axis] = length
    whole = first.new_empty(shape)
    whole.narrow(axis, 0, start).copy_(first)
    for block in blocks:
        whole.narrow(axis, start, block.shape[axis]).copy_(block)
        start += block.shape[axis]
    return whole


def owned(x: Tensor, *, in_place: bool) -> Tensor:
    """Gives a tensor that `add_updates` may overwrite: `x` itself, or a copy where that differs."""
    return x if in_place or torch.is_grad_enabled() else x.clone()


def add_updates(
    x: Float[Tensor, "a b dim"],
    updates: Iterable[Float[Tensor, "rows columns dim"]],
    *,
    axis: int = 0,
    dropout: float = 0.0,
    shared_axis: int = 0,
) -> Float[Tensor, "a b dim"]:
    """Adds an update to a representation; in place where no gradient is wanted.

    A layer computes a block of its update from the same block of `x` and from what it derived from
    the whole of `x` before the first block, so each block may be written before the next is asked.

    Args:
        x: The representation; overwritten in inference, so the caller must own it.
        updates: Consecutive blocks of the update.
        axis: Axis along which the blocks follow each other.
        dropout: Probability to drop a part of the update, in training; 0 for none.
        shared_axis: Axis along which the same parts are dropped.
    """
    if torch.is_grad_enabled():
        update = join(updates, axis, x.shape[axis])
        return x + _drop_shared(update, dropout, shared_axis)
    start = 0
    for update in updates:
        x.narrow(axis, start, update.shape[axis]).add_(update)
        start += update.shape[axis]
    return x


def _drop_shared(x: Tensor, rate: float, axis: int) -> Tensor:
    if not rate:
        return x
    shape = [1 if a == axis else size for a, size in enumerate(x.shape)]
    kept = torch.rand(shape, device=x.device, dtype=x.dtype) >= rate
    return x * kept / (1 - rate)
