"""Which residues of two proteins correspond, through Biopython's aligner."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Int64

if TYPE_CHECKING:
    from Bio.Align import PairwiseAligner

_LETTERS = frozenset("ARNDCQEGHILKMFPSTWYVBZX")  # of BLOSUM62
_GAP_OPEN, _GAP_EXTEND = -11.0, -1.0  # what BLAST takes with this matrix


@dataclass(frozen=True, kw_only=True, eq=False)
class Pairing:
    """Corresponding residues of two sequences, without gaps.

    Attributes:
        query: Places in the first sequence, rising.
        other: The places in the second sequence that correspond to them.
        score: Of the alignment, in half bits.
    """

    query: Int64[np.ndarray, " pairs"]
    other: Int64[np.ndarray, " pairs"]
    score: float


def pair_residues(query: str, other: str) -> Pairing:
    """Aligns two proteins locally.

    Args:
        query: One letter for each residue, in upper case; what BLOSUM62 does not know is read as X.
        other: Likewise.

    Source: Smith & Waterman 1981; Henikoff & Henikoff 1992 (BLOSUM62).
    """
    aligner = _aligner()
    sequences = [_known(query), _known(other)]
    found = aligner.align(*sequences) if all(sequences) else None
    best = next(iter(found or ()), None)
    if found is None or best is None:
        nothing = np.zeros(0, np.int64)
        return Pairing(query=nothing, other=nothing, score=0.0)
    indices = np.asarray(best.indices, np.int64)
    indices = indices[:, (indices >= 0).all(axis=0)]
    return Pairing(query=indices[0], other=indices[1], score=float(found.score))


@cache
def _aligner() -> PairwiseAligner:
    from Bio.Align import PairwiseAligner, substitution_matrices

    aligner = PairwiseAligner(mode="local", open_gap_score=_GAP_OPEN, extend_gap_score=_GAP_EXTEND)
    aligner.substitution_matrix = substitution_matrices.load("BLOSUM62")
    return aligner


def _known(sequence: str) -> str:
    return "".join(letter if letter in _LETTERS else "X" for letter in sequence)
