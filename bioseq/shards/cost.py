"""What a sequence costs: floating-point operations by its length."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from bioseq.runs import Window
from bioseq.shards.job import PlannedJob


@dataclass(frozen=True, kw_only=True)
class CostModel:
    """The operations of an encoder and its heads: a part for each token, and one for each pair.

    Attributes:
        flops_per_token: Operations for one token.
        flops_per_pair: Operations for one ordered pair of tokens of a sequence.
        num_specials: Special tokens of a sequence.
        tokens_per_residue: Other tokens, for each residue.
        window: How sequences beyond the encoder's limit are read; None for in one go.
    """

    flops_per_token: float
    flops_per_pair: float
    num_specials: int
    tokens_per_residue: float = 1.0
    window: Window | None = None

    def flops(self, lengths: Int64[np.ndarray, " sequences"]) -> Float64[np.ndarray, " sequences"]:
        """Returns the operations of sequences of so many residues."""
        tokens = np.ceil(lengths * self.tokens_per_residue) + self.num_specials
        if self.window is None:
            return self._at_once(tokens)
        size = self.window.length - self.num_specials
        rest = np.maximum(0, tokens - self.window.length)
        num_windows = 1 + np.ceil(rest / (size - self.window.overlap))
        return num_windows * self._at_once(np.minimum(tokens, self.window.length))

    def _at_once(
        self, tokens: Float64[np.ndarray, " sequences"]
    ) -> Float64[np.ndarray, " sequences"]:
        return self.flops_per_token * tokens + self.flops_per_pair * tokens**2


def cost_model_of(job: PlannedJob, sample: Sequence[str]) -> CostModel:
    """Returns the cost model of a job.

    Args:
        job: The job.
        sample: Some sequences of the input, to see how many residues a token covers.
    """
    tokenizer, engine = job.models[0].tokenizer, job.engine(job.block_sizes())
    num_specials = len(tokenizer.prefix) + len(tokenizer.suffix)
    residues = sum(map(len, sample))
    tokens = len(tokenizer.encode(list(sample)).ids) - num_specials * len(sample)
    return CostModel(
        flops_per_token=engine.flops_per_token,
        flops_per_pair=engine.flops_per_pair,
        num_specials=num_specials,
        tokens_per_residue=tokens / residues if residues else 1.0,
        window=job.window,
    )
