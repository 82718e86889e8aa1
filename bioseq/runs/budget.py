"""How much work is done at a time, chosen from the machine's memory and the cost of a token."""

from __future__ import annotations

import os

import torch

from bioseq.models import Encoder

_SHARE_OF_MEMORY = 0.125
_CPU_TOKENS = 16_384  # more than this only leaves the processor's caches
_CUDA_TOKENS = 131_072
_FEWEST_TOKENS = 1_024
_LIVE_WIDTHS = 16  # intermediate results alive at once, in widths of a token state
_BLOCK_FLOPS = {"cpu": 2e12, "mps": 4e13, "cuda": 4e14}  # about half a minute of each
_BLOCK_BYTES = 256 * 2**20
_FEWEST_BLOCK_TOKENS = 16_384
_MOST_BLOCK_TOKENS = 8_000_000
BLOCK_RECORDS = 65_536


def choose_tokens_per_batch(encoder: Encoder, device: torch.device) -> int:
    """Returns the largest batch that surely fits, up to where larger ones gain nothing.

    It depends on the machine, not on what else runs there, so that a repeated run is the same run.
    """
    most = _CUDA_TOKENS if device.type == "cuda" else _CPU_TOKENS
    fitting = _SHARE_OF_MEMORY * _memory(device) / bytes_per_token(encoder)
    return int(max(_FEWEST_TOKENS, min(most, fitting)))


def bytes_per_token(encoder: Encoder) -> int:
    """Returns the memory that one token of a batch takes while it is encoded."""
    return 4 * encoder.dim * _LIVE_WIDTHS


def _memory(device: torch.device) -> int:
    if device.type == "cuda":
        return torch.cuda.get_device_properties(device).total_memory
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def choose_tokens_per_block(flops: float, device: torch.device, *, kept: int = 0) -> int:
    """Returns the size of a block, the unit that a kill can cost: about half a minute of work.

    Args:
        flops: What a token costs.
        device: Where it is computed.
        kept: Numbers that are kept of a token until the block is written.
    """
    by_work = _BLOCK_FLOPS[device.type] / flops
    by_memory = _BLOCK_BYTES / (4 * kept) if kept else _MOST_BLOCK_TOKENS
    return int(max(_FEWEST_BLOCK_TOKENS, min(by_work, by_memory, _MOST_BLOCK_TOKENS)))


def choose_pairs_per_block(device: torch.device, *, kept: int, flops: float) -> int:
    """Returns how many ordered pairs of residues end a block: about half a minute of work.

    Args:
        device: Where they are computed.
        kept: Numbers that are kept of a pair until the block is written.
        flops: What a pair costs; it is computed once for both orders.
    """
    return int(min(2 * _BLOCK_FLOPS[device.type] / flops, _BLOCK_BYTES / (4 * kept)))
