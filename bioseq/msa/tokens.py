"""Tokens of a whole alignment."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int64

from bioseq.msa.alignment import Msa
from bioseq.tokenizer import Tokenizer


def encode_msa(msa: Msa, tokenizer: Tokenizer) -> Int64[np.ndarray, "rows tokens"]:
    """Tokenizes every row, gaps included.

    Args:
        msa: The alignment.
        tokenizer: Gives each symbol, the gap among them, one token.

    Raises:
        AlphabetError: a symbol has no token.
    """
    tokens = tokenizer.encode([msa.row(number) for number in range(msa.depth)])
    return tokens.ids.reshape(msa.depth, -1).astype(np.int64)
