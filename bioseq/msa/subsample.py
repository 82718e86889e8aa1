"""Choosing rows of an alignment that is deeper than a model reads."""

from __future__ import annotations

from typing import get_args

import numpy as np
from jaxtyping import Int64

from bioseq.errors import OptionError
from bioseq.msa.alignment import Msa
from bioseq.typing import Subsampling


def choose_rows(
    msa: Msa, depth: int, *, method: Subsampling = "first", seed: int = 0
) -> Int64[np.ndarray, " rows"]:
    """Chooses rows, the query among them, in the order of the alignment.

    Args:
        msa: The alignment.
        depth: Rows to keep; all are kept where there are no more.
        method: `first` keeps the first rows; `random` draws without replacement; `diverse` adds,
            one by one, the row that differs most, on average, from those chosen.
        seed: Of `random`; the same seed gives the same rows everywhere.

    Raises:
        OptionError: the depth is below 1, or there is no such method.

    Source: diverse: Rao et al. 2021 (MSA Transformer), section 4.2.
    """
    if depth < 1:
        raise OptionError("depth", depth, allowed="1 or more")
    if method not in get_args(Subsampling):
        raise OptionError("subsampling", method, allowed=get_args(Subsampling))
    if depth >= msa.depth:
        return np.arange(msa.depth)
    if method == "first":
        return np.arange(depth)
    if method == "diverse":
        return _diverse_rows(msa, depth)
    drawn = np.random.Generator(np.random.Philox(seed)).permutation(msa.depth - 1)[: depth - 1]
    return np.concatenate([[0], np.sort(drawn + 1)])


def _diverse_rows(msa: Msa, depth: int) -> Int64[np.ndarray, " rows"]:
    distance = np.zeros(msa.depth)  # summed over the rows chosen so far
    chosen = np.zeros(msa.depth, np.bool_)
    row = 0
    for _ in range(depth - 1):
        chosen[row] = True
        distance += (msa.symbols != msa.symbols[row]).sum(axis=1)
        row = int(np.argmax(np.where(chosen, -1.0, distance)))
    chosen[row] = True
    return np.flatnonzero(chosen)
