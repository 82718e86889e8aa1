"""The options of a contact prediction."""

from __future__ import annotations

from dataclasses import dataclass

from bioseq.options import RowOptions
from bioseq.typing import AnyPath, StoredFormat

NETWORK = "axial-contacts"
DEFAULT_METHOD = NETWORK


@dataclass(frozen=True, kw_only=True)
class ContactOptions(RowOptions):
    """How contacts are predicted; also all of `RowOptions`.

    Attributes:
        model: `axial-contacts` (bundled), `mfdca` (mean-field direct coupling analysis), `mi`
            (mutual information), or the files of an MSA Transformer, of ESM-1b or ESM-2.
        device: `auto`, `cpu`, `cuda`, `cuda:1`, `mps`; for published models.
        save_as: Number format of the stored values.
        format: `a3m` or `stockholm`; None: recognised.

    Raises:
        OptionError: a value is not allowed.
    """

    model: AnyPath = DEFAULT_METHOD
    device: str = "auto"
    save_as: StoredFormat = "float32"
    format: str | None = None
