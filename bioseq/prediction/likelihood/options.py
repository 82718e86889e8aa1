"""The options of asking how likely sequences are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bioseq.prediction.language.options import LanguageOptions

Strategy = Literal["pseudo-perplexity", "wild-type-marginals", "likelihood"]


@dataclass(frozen=True, kw_only=True)
class LikelihoodOptions(LanguageOptions):
    """How a language model is asked; also all of `LanguageOptions`.

    Attributes:
        strategy: `pseudo-perplexity`, `wild-type-marginals` or `likelihood`; None:
            `pseudo-perplexity`, for a next-token model `likelihood`.
        distribution: Also keep what it says of every residue of the alphabet at every place.

    Raises:
        OptionError: a value is not allowed.
    """

    strategy: Strategy | None = None
    distribution: bool = False
