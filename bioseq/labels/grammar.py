"""Which labels may follow each other, and the most probable sequence of labels that obeys.

Source: Viterbi 1967; Rabiner 1989, section III B; minimum lengths by copies of a state, as in the
models of Krogh et al. 2001 (TMHMM).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int64

from bioseq.errors import OptionError


@dataclass(frozen=True, kw_only=True)
class Grammar:
    """Rules for the labels of a sequence.

    Attributes:
        shortest: For each class, the fewest neighbouring residues that may have it.
        forbidden: Pairs of classes of which the second may not follow the first.

    Raises:
        OptionError: a length is below 1, or no class may stand alone, so that short sequences would
            have no labels.
    """

    shortest: tuple[int, ...]
    forbidden: tuple[tuple[int, int], ...] = ()

    def __post_init__(self) -> None:
        if min(self.shortest) != 1:
            raise OptionError("shortest", self.shortest, allowed="1 or more, and 1 for one class")

    def decode(
        self, probabilities: Float[np.ndarray, "residues classes"]
    ) -> Int64[np.ndarray, " residues"]:
        """Returns the allowed labels with the largest product of probabilities."""
        owner, follows, last = self.states()
        scores = np.log(np.maximum(probabilities, 1e-12))[:, owner]
        first = np.r_[True, owner[1:] != owner[:-1]]
        best = np.where(first, scores[0], -np.inf)
        came_from = np.zeros(scores.shape, np.int64)
        for place in range(1, len(scores)):
            candidates = np.where(follows, best[:, None], -np.inf)
            came_from[place] = candidates.argmax(axis=0)
            best = candidates.max(axis=0) + scores[place]
        state = int(np.where(last, best, -np.inf).argmax())
        path = np.empty(len(scores), np.int64)
        for place in range(len(scores) - 1, -1, -1):
            path[place] = state
            state = came_from[place, state]
        return owner[path]

    def states(
        self,
    ) -> tuple[
        Int64[np.ndarray, " states"],
        Bool[np.ndarray, "states states"],
        Bool[np.ndarray, " states"],
    ]:
        """Returns one state for each residue of a class's shortest run; the last one may repeat.

        Returns:
            The class of each state; which state (second axis) may follow which; which may end.
        """
        owner = np.repeat(np.arange(len(self.shortest)), self.shortest)
        last = np.r_[owner[1:] != owner[:-1], True]
        first = np.r_[True, owner[1:] != owner[:-1]]
        follows = last[:, None] & first & (owner[:, None] != owner)
        follows |= np.eye(len(owner), k=1, dtype=bool) & (owner[:, None] == owner)
        follows |= np.diag(last)
        for before, behind in self.forbidden:
            follows[(owner == before)[:, None] & (owner == behind)] = False
        return owner, follows, last
