"""The options of a contact prediction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from bioseq.errors import OptionError
from bioseq.msa import Subsampling
from bioseq.typing import AnyPath

StoredFormat = Literal["float32", "float16"]
NETWORK = "axial-contacts"
DEFAULT_METHOD = NETWORK


@dataclass(frozen=True, kw_only=True)
class ContactOptions:
    """How contacts are predicted.

    Attributes:
        model: `axial-contacts` (bundled), `mfdca` (mean-field direct coupling analysis), `mi`
            (mutual information), or the files of an MSA Transformer, of ESM-1b or ESM-2.
        max_depth: Most rows of an alignment that are used; None: what suits the model.
        subsample: How rows are chosen of a deeper one.
        seed: Of the random choice.
        device: `auto`, `cpu`, `cuda`, `cuda:1`, `mps`; for published models.
        save_as: Number format of the stored values.
        format: `a3m` or `stockholm`; None: recognised.

    Raises:
        OptionError: a value is not allowed.
    """

    model: AnyPath = DEFAULT_METHOD
    max_depth: int | None = None
    subsample: Subsampling = "diverse"
    seed: int = 0
    device: str = "auto"
    save_as: StoredFormat = "float32"
    format: str | None = None

    def __post_init__(self) -> None:
        for name, choices in (
            ("subsample", get_args(Subsampling)),
            ("save_as", get_args(StoredFormat)),
        ):
            if getattr(self, name) not in choices:
                raise OptionError(name, getattr(self, name), allowed=choices)
        if self.max_depth is not None and self.max_depth < 1:
            raise OptionError("max_depth", self.max_depth, allowed="1 or more")
