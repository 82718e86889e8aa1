"""The options of a structure prediction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bioseq.options import Options
from bioseq.typing import AnyPath


@dataclass(frozen=True, kw_only=True)
class StructureOptions(Options):
    """How structures are predicted.

    Attributes:
        model: ESMFold, AlphaFold 2 or OpenFold; see `load_folding_model`.
        language_model: The ESM-2 that fair-esm's ESMFold file leaves out.
        num_passes: Passes through the model, each fed with the last; None: what the model was
            published with, 4.
        max_extra: Most rows of an alignment that AlphaFold 2 reads beside its clusters.
        seed: Of AlphaFold 2's choice of rows and masks; each pass draws anew.
        templates: PDB and mmCIF files, or folders of them, whose chains AlphaFold 2 reads as
            templates where they resemble the query; see `TemplateLibrary`.
        distogram: Also keep the distogram: 64 numbers for each pair of residues.
        memory: Mebibytes of working memory beside the representations; None: what is fast. Changes
            no result.
        device: `auto`, `cpu`, `cuda`, `cuda:1`, `mps`.
        format: Format of the input; None: recognised.

    Raises:
        OptionError: a value is not allowed.
    """

    model: AnyPath
    language_model: AnyPath | None = None
    num_passes: int | None = None
    max_extra: int = 5120
    seed: int = 0
    templates: Sequence[AnyPath] = ()
    distogram: bool = True
    memory: int | None = None
    device: str = "auto"
    format: str | None = None
