"""How much work is done at a time, chosen from the memory at hand and the cost of a token."""

from __future__ import annotations

import psutil
import torch

from bioseq.embed.outputs import Output
from bioseq.models import Encoder

_SHARE_OF_MEMORY = 0.25
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
    """Gives the largest batch that surely fits, up to where larger ones gain nothing."""
    if device.type == "cuda":
        free, most = torch.cuda.mem_get_info(device)[0], _CUDA_TOKENS
    else:
        free, most = psutil.virtual_memory().available, _CPU_TOKENS
    bytes_per_token = 4 * encoder.dim * _LIVE_WIDTHS
    return int(max(_FEWEST_TOKENS, min(most, _SHARE_OF_MEMORY * free / bytes_per_token)))


def choose_tokens_per_block(
    encoder: Encoder, outputs: tuple[Output, ...], device: torch.device
) -> int:
    """Gives the size of a block, the unit that a kill can cost: about half a minute of work."""
    by_work = _BLOCK_FLOPS[device.type] / encoder.flops_per_token
    kept = 4 * encoder.dim * sum(output.per_residue for output in outputs)
    by_memory = _BLOCK_BYTES / kept if kept else _MOST_BLOCK_TOKENS
    return int(max(_FEWEST_BLOCK_TOKENS, min(by_work, by_memory, _MOST_BLOCK_TOKENS)))
