"""What computes a block of records: scans of whole sequences, or variants of one wild type."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bioseq.prediction.language.job import NOT_FINITE
from bioseq.prediction.variants.effects import Effects
from bioseq.prediction.variants.mutations import WildType
from bioseq.prediction.variants.options import MARGINALS
from bioseq.records import refget_digest
from bioseq.runs import BlockValues
from bioseq.store import Ragged

_UNIT = {"unit": "natural logarithm"}


@dataclass(frozen=True, kw_only=True)
class ScanEngine:
    """Every substitution at every place: `[L, residues]` for each sequence."""

    effects: Effects

    @property
    def kept(self) -> int:
        """See `LanguageEngine.kept`."""
        return len(self.effects.residues)

    def cost(self, sequence: str) -> int:
        """See `BlockEngine.cost`."""
        return self.effects.scan_cost(sequence)

    def run(self, sequences: Sequence[str], advance: Callable[[int], None]) -> BlockValues:
        """Scans some sequences; a place whose residue is not definite has no numbers."""
        parts = [self.effects.of_substitutions(sequence, advance) for sequence in sequences]
        finite = [bool(np.isfinite(part[~np.isnan(part).all(axis=1)]).all()) for part in parts]
        offsets = np.cumsum([0, *map(len, parts)], dtype=np.int64)
        empty = np.empty((0, len(self.effects.residues)))
        packed = np.concatenate([empty, *parts]).astype(np.float32)
        return BlockValues(
            values={},
            predictions={self.effects.strategy: Ragged(packed, offsets)},
            finite=np.array(finite, dtype=bool),
            not_finite=NOT_FINITE,
        )

    def settings(self) -> dict[str, object]:
        """See `LanguageEngine.settings`."""
        return {}

    def attributes(self) -> dict[str, dict[str, object]]:
        """The columns are the residues that take a place."""
        return {self.effects.strategy: {**_UNIT, "classes": list(self.effects.residues)}}


@dataclass(frozen=True, kw_only=True)
class VariantEngine:
    """One number for each variant of a wild type, given as its whole sequence."""

    effects: Effects
    wild_type: WildType

    @property
    def kept(self) -> int:
        """See `LanguageEngine.kept`."""
        return 0

    def cost(self, sequence: str) -> int:
        """See `BlockEngine.cost`; marginals of the wild type serve many variants."""
        if self.effects.strategy in MARGINALS:
            return self._share_of_marginals
        return self.effects.cost(sequence)

    @cached_property
    def _share_of_marginals(self) -> int:
        """One variant's part in the cost of all single substitutions."""
        sequence = self.wild_type.sequence
        substitutions = len(sequence) * (len(self.effects.residues) - 1)
        return -(-self.effects.cost(sequence) // substitutions)

    def run(self, sequences: Sequence[str], advance: Callable[[int], None]) -> BlockValues:
        """Scores some variants."""
        effects = self.effects.of_variants(self.wild_type.sequence, sequences, advance)
        column = effects[:, None].astype(np.float32)
        return BlockValues(
            values={},
            predictions={self.effects.strategy: column},
            finite=np.isfinite(column[:, 0]),
            not_finite=NOT_FINITE,
        )

    def settings(self) -> dict[str, object]:
        """See `LanguageEngine.settings`."""
        return {"wild_type": refget_digest(self.wild_type.sequence)}

    def attributes(self) -> dict[str, dict[str, object]]:
        """Returns what the variants are variants of."""
        return {self.effects.strategy: {**_UNIT, "wild_type": self.wild_type.id, **self.settings()}}
