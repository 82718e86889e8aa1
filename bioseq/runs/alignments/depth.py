"""How many rows of an alignment a model gets, and whether its query is short enough."""

from __future__ import annotations

from dataclasses import dataclass

from bioseq.errors import OptionError
from bioseq.msa import Msa, Subsampling, choose_rows


@dataclass(frozen=True, kw_only=True)
class Cut:
    """The limits of a model, and how alignments are made to fit.

    Attributes:
        depth: Most rows.
        max_length: Most residues of the query; None for no limit. A longer one is refused.
        subsample: How rows of a deeper alignment are chosen.
        seed: Of the random choice.
    """

    depth: int
    max_length: int | None = None
    subsample: Subsampling = "diverse"
    seed: int = 0

    def fit(self, msa: Msa) -> Msa:
        """Chooses the rows.

        Raises:
            OptionError: the query is longer than the model reads.
        """
        if self.max_length is not None and msa.length > self.max_length:
            allowed = f"to {self.max_length} residues with this model"
            raise OptionError("length of the query", msa.length, allowed=allowed)
        return msa.take(choose_rows(msa, self.depth, method=self.subsample, seed=self.seed))

    def settings(self) -> dict[str, object]:
        """Returns what changes a number."""
        return {"max_depth": self.depth, "subsample": self.subsample, "seed": self.seed}
