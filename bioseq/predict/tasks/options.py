"""The options of a prediction run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike

from bioseq.embed.options import EmbedOptions
from bioseq.errors import OptionError
from bioseq.typing import AnyPath, Molecule, Precision

ALL = "all"


@dataclass(frozen=True, kw_only=True)
class TaskOptions:
    """How sequences are predicted.

    Attributes:
        tasks: Tasks of bundled predictors, or predictor folders; one or several. `all` stands for
            every bundled predictor that reads the molecule.
        device: `auto`, `cpu`, `cuda`, `cuda:1`, `mps`.
        precision: Number format of the encoder; heads compute in float32.
        tokens_per_batch: Tokens at a time; None: from the machine's memory. Changes no result.
        window: Tokens at a time for sequences beyond an attention encoder's limit; None: the limit.
        overlap: Tokens that two windows share; None: a quarter of the window.
        molecule: What the input is; None: what it says or looks like.
        format: Format of the input; None: recognised.

    Raises:
        OptionError: a value is not allowed.
    """

    tasks: AnyPath | Sequence[AnyPath]
    device: str = "auto"
    precision: Precision = "float32"
    tokens_per_batch: int | None = None
    window: int | None = None
    overlap: int | None = None
    molecule: Molecule | None = None
    format: str | None = None

    def __post_init__(self) -> None:
        given = self.tasks
        tasks = (given,) if isinstance(given, str | PathLike) else tuple(given)
        object.__setattr__(self, "tasks", tasks)
        if not self.tasks:
            raise OptionError("tasks", [], allowed=f"at least one, or {ALL}")
        self.embedding("")

    def embedding(self, model: str) -> EmbedOptions:
        """Gives what reading and encoding need to know."""
        return EmbedOptions(
            model=model,
            pool=(),
            device=self.device,
            precision=self.precision,
            tokens_per_batch=self.tokens_per_batch,
            window=self.window,
            overlap=self.overlap,
            molecule=self.molecule,
            format=self.format,
        )
