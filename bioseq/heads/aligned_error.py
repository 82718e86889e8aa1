"""Predicted aligned error, and the TM-score that it implies.

Entry (i, j) is the error of residue j when predicted and true structure are laid on each other at
residue i's backbone.

Source: Jumper et al. 2021, supplementary sections 1.9.7 and 1.9.8.
"""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor

MAX_ERROR = 31.0  # angstrom; the last bin holds all that is larger
_FEWEST_RESIDUES = 19  # below, the TM-score's distance scale would vanish


def expected_aligned_error(
    logits: Float[Tensor, "*pairs bins"],
) -> Float[Tensor, "*pairs"]:
    """Returns the mean of the predicted distribution, in angstrom."""
    return (logits.softmax(dim=-1) * _centers(logits)).sum(-1)


def predicted_tm(
    logits: Float[Tensor, "batch length length bins"],
    mask: Bool[Tensor, "batch length"],
    *,
    padding_counts: bool = False,
    scale_dtype: torch.dtype = torch.float64,
) -> Float[Tensor, " batch"]:
    """Returns each sequence's predicted TM-score, from 0 to 1.

    The best residue to align at counts, and the mean over all real residues.

    Args:
        logits: Logits over bins of the aligned error.
        mask: Real residues.
        padding_counts: Take padding for residues and give the best value of the batch to every
            member: what transformers' ESMFold (5.23) does, for comparison only.
        scale_dtype: Number format of the distance scale, for proteins of at most 19 residues a
            small difference of larger numbers. AlphaFold's is float32, which moves such a score by
            1e-6 of it; OpenFold's and ESMFold's is float64.
    """
    real = torch.ones_like(mask) if padding_counts else mask
    # On the CPU: not every device has float64.
    scales = _distance_scales(real.sum(-1).cpu().to(scale_dtype)).to(logits)
    scores = 1 / (1 + (_centers(logits) / scales[:, None]) ** 2)
    terms = torch.einsum("bijk,bk->bij", logits.softmax(dim=-1), scores)
    means = (terms * real[:, None, :]).sum(-1) / real.sum(-1, keepdim=True)
    best = means.masked_fill(~real, 0).amax(-1)
    return best.amax().expand_as(best) if padding_counts else best


def _distance_scales(lengths: Float[Tensor, " batch"]) -> Float[Tensor, " batch"]:
    """Returns the distance that halves a residue's score, in angstrom: Zhang and Skolnick's d0."""
    return 1.24 * (lengths.clamp(min=_FEWEST_RESIDUES) - 15) ** (1 / 3) - 1.8


def _centers(logits: Float[Tensor, "*pairs bins"]) -> Float[Tensor, " bins"]:
    """Returns the middle of each bin; the last, which is open, is as wide as the others."""
    num_bins = logits.shape[-1]
    width = MAX_ERROR / (num_bins - 2)
    return ((torch.arange(num_bins, device=logits.device) + 0.5) * width).to(logits)
