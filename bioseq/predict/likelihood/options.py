"""The options of asking how likely sequences are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from bioseq.checkpoints import DEFAULT_MODEL
from bioseq.embed import EmbedOptions
from bioseq.errors import OptionError
from bioseq.typing import AnyPath, Molecule, Precision

Strategy = Literal["pseudo-perplexity", "wild-type-marginals", "likelihood"]


@dataclass(frozen=True, kw_only=True)
class LikelihoodOptions:
    """How a language model is asked.

    Attributes:
        model: Name of a bundled model, a model folder or a weights file; with a language-model
            head.
        strategy: `pseudo-perplexity`, `wild-type-marginals` or `likelihood`; None:
            `pseudo-perplexity`, for a next-token model `likelihood`.
        distribution: Also keep what it says of every residue of the alphabet at every place.
        device: `auto`, `cpu`, `cuda`, `cuda:1`, `mps`.
        precision: Number format of the computation.
        tokens_per_batch: Tokens at a time; None: from the machine's memory. Changes no result.
        window: Tokens at a time for sequences beyond an attention encoder's limit; None: the limit.
        overlap: Tokens that two windows of one pass share; None: a quarter of the window.
        molecule: What the input is; None: what it says or looks like.
        format: Format of the input; None: recognised.

    Raises:
        OptionError: a value is not allowed.
    """

    model: AnyPath = DEFAULT_MODEL
    strategy: Strategy | None = None
    distribution: bool = False
    device: str = "auto"
    precision: Precision = "float32"
    tokens_per_batch: int | None = None
    window: int | None = None
    overlap: int | None = None
    molecule: Molecule | None = None
    format: str | None = None

    def __post_init__(self) -> None:
        if self.strategy not in (None, *get_args(Strategy)):
            raise OptionError("strategy", self.strategy, allowed=get_args(Strategy))
        self.embedding()

    def embedding(self) -> EmbedOptions:
        """Gives what reading and encoding need to know."""
        return EmbedOptions(
            model=self.model,
            device=self.device,
            precision=self.precision,
            tokens_per_batch=self.tokens_per_batch,
            window=self.window,
            overlap=self.overlap,
            molecule=self.molecule,
            format=self.format,
        )
