"""The options of scoring variants."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bioseq.prediction.language.options import LanguageOptions

Strategy = Literal["wild-type-marginals", "masked-marginals", "pseudo-perplexity", "likelihood"]
MARGINALS: tuple[Strategy, ...] = ("wild-type-marginals", "masked-marginals")


@dataclass(frozen=True, kw_only=True)
class VariantOptions(LanguageOptions):
    """How variants are scored; also all of `LanguageOptions`.

    Attributes:
        strategy: `wild-type-marginals`, `masked-marginals`, `pseudo-perplexity` or `likelihood`;
            None: `masked-marginals`, for a next-token model `likelihood`.
        column: Column of a variant table that names the substitutions.
        first_residue: Number of the wild type's first residue in the variants' names.

    Raises:
        OptionError: a value is not allowed.
    """

    strategy: Strategy | None = None
    column: str = "mutant"
    first_residue: int = 1
