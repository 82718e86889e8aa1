"""The options that all questions to a language model share."""

from __future__ import annotations

from dataclasses import dataclass

from bioseq.checkpoints import DEFAULT_MODEL
from bioseq.options import ComputeOptions, InputOptions
from bioseq.typing import AnyPath


@dataclass(frozen=True, kw_only=True)
class LanguageOptions(ComputeOptions, InputOptions):
    """Which language model is asked; also all of `ComputeOptions` and `InputOptions`.

    Attributes:
        model: Name of a bundled model, a model folder or a weights file; with a language-model
            head.
    """

    model: AnyPath = DEFAULT_MODEL
