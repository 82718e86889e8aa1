"""The options of scoring variants."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from bioseq.checkpoints import DEFAULT_MODEL
from bioseq.embed import EmbedOptions
from bioseq.errors import OptionError
from bioseq.typing import AnyPath, Precision

Strategy = Literal["wild-type-marginals", "masked-marginals", "pseudo-perplexity", "likelihood"]
MARGINALS: tuple[Strategy, ...] = ("wild-type-marginals", "masked-marginals")


@dataclass(frozen=True, kw_only=True)
class VariantOptions:
    """How variants are scored.

    Attributes:
        model: Name of a bundled model, a model folder or a weights file; with a language-model
            head.
        strategy: `wild-type-marginals`, `masked-marginals`, `pseudo-perplexity` or `likelihood`;
            None: `masked-marginals`, for a next-token model `likelihood`.
        column: Column of a variant table that names the substitutions.
        first_residue: Number of the wild type's first residue in the variants' names.
        device: `auto`, `cpu`, `cuda`, `cuda:1`, `mps`.
        precision: Number format of the computation.
        tokens_per_batch: Tokens at a time; None: from the machine's memory. Changes no result.
        window: Tokens at a time for sequences beyond an attention encoder's limit; None: the limit.
        overlap: Tokens that two windows of one pass share; None: a quarter of the window.

    Raises:
        OptionError: there is no such strategy.
    """

    model: AnyPath = DEFAULT_MODEL
    strategy: Strategy | None = None
    column: str = "mutant"
    first_residue: int = 1
    device: str = "auto"
    precision: Precision = "float32"
    tokens_per_batch: int | None = None
    window: int | None = None
    overlap: int | None = None

    def __post_init__(self) -> None:
        if self.strategy not in (None, *get_args(Strategy)):
            raise OptionError("strategy", self.strategy, allowed=get_args(Strategy))

    def embedding(self) -> EmbedOptions:
        """Gives what encoding needs to know."""
        return EmbedOptions(
            model=self.model,
            device=self.device,
            precision=self.precision,
            tokens_per_batch=self.tokens_per_batch,
            window=self.window,
            overlap=self.overlap,
        )
