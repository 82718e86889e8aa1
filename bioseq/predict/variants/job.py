"""A job of scoring variants: the model with its strategy, and what computes a block of records."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from bioseq.embed import EmbedOptions
from bioseq.embed.budget import BLOCK_RECORDS, choose_tokens_per_block
from bioseq.embed.engine import BlockValues
from bioseq.embed.job import Job, build_job
from bioseq.predict.scorer import Scorer
from bioseq.predict.variants.effects import Effects, choose_strategy
from bioseq.predict.variants.mutations import WildType
from bioseq.predict.variants.options import MARGINALS, VariantOptions
from bioseq.records import refget_digest
from bioseq.store import Ragged


@runtime_checkable
class EffectEngine(Protocol):
    """Gives the values of the new sequences of a block."""

    def cost(self, sequences: Sequence[str]) -> int:
        """Gives the tokens that go through the encoder for some sequences."""
        ...

    def run(self, sequences: Sequence[str], advance: Callable[[int], None]) -> BlockValues:
        """Computes the values of some sequences."""
        ...

    def settings(self) -> dict[str, object]:
        """Gives what changes a number beside model and strategy."""
        ...

    def attributes(self) -> dict[str, object]:
        """Gives what tells what the values are."""
        ...


@dataclass(frozen=True, kw_only=True)
class ScanEngine:
    """Every substitution at every place: `[L, residues]` for each sequence."""

    effects: Effects

    def cost(self, sequences: Sequence[str]) -> int:
        """See `EffectEngine.cost`."""
        return sum(map(self.effects.scan_cost, sequences))

    def run(self, sequences: Sequence[str], advance: Callable[[int], None]) -> BlockValues:
        """Scans some sequences; a place whose residue is not definite has no numbers."""
        parts = [self.effects.of_substitutions(sequence, advance) for sequence in sequences]
        finite = [bool(np.isfinite(part[~np.isnan(part).all(axis=1)]).all()) for part in parts]
        offsets = np.cumsum([0, *map(len, parts)], dtype=np.int64)
        empty = np.empty((0, len(self.effects.residues)))
        packed = np.concatenate([empty, *parts]).astype(np.float32)
        return BlockValues(
            values={self.effects.strategy: Ragged(packed, offsets)},
            finite=np.array(finite, dtype=bool),
        )

    def settings(self) -> dict[str, object]:
        """See `EffectEngine.settings`."""
        return {}

    def attributes(self) -> dict[str, object]:
        """The columns are the residues that take a place."""
        return {"classes": list(self.effects.residues)}


@dataclass(frozen=True, kw_only=True)
class VariantEngine:
    """One number for each variant of a wild type, given as its whole sequence."""

    effects: Effects
    wild_type: WildType

    def cost(self, sequences: Sequence[str]) -> int:
        """See `EffectEngine.cost`."""
        if self.effects.strategy in MARGINALS:
            return self.effects.cost(self.wild_type.sequence)
        return sum(map(self.effects.cost, sequences))

    def run(self, sequences: Sequence[str], advance: Callable[[int], None]) -> BlockValues:
        """Scores some variants."""
        effects = self.effects.of_variants(self.wild_type.sequence, sequences, advance)
        column = effects[:, None].astype(np.float32)
        return BlockValues(values={self.effects.strategy: column}, finite=np.isfinite(column[:, 0]))

    def settings(self) -> dict[str, object]:
        """See `EffectEngine.settings`."""
        return {"wild_type": refget_digest(self.wild_type.sequence)}

    def attributes(self) -> dict[str, object]:
        """Says what the variants are variants of."""
        return {"wild_type": self.wild_type.id, **self.settings()}


@dataclass(frozen=True, kw_only=True)
class VariantJob:
    """What is computed, and how.

    Attributes:
        job: The model on its device, with its window.
        effects: The strategy.
    """

    job: Job
    effects: Effects

    def settings(self, engine: EffectEngine) -> dict[str, object]:
        """Gives everything that changes a number."""
        shared = {k: v for k, v in self.job.settings().items() if k not in ("outputs", "save_as")}
        return {**shared, "strategy": self.effects.strategy, **engine.settings()}

    def attributes(self, engine: EffectEngine) -> dict[str, dict[str, object]]:
        """Gives the attributes of the values, by path."""
        model, window = self.job.model, self.job.window
        return {
            f"predictions/{self.effects.strategy}": {
                "model": model.name,
                "weights_sha256": model.weights_sha256,
                "strategy": self.effects.strategy,
                "unit": "natural logarithm",
                "precision": self.job.options.precision,
                "window": window.length if window else 0,
                "overlap": window.overlap if window else 0,
                **engine.attributes(),
            }
        }

    def plan(self, engine: EffectEngine, sequences: Sequence[str]) -> dict[str, int]:
        """Cuts the records into blocks of about half a minute of work."""
        tokens = choose_tokens_per_block(self.job.model.encoder, (), self.job.device)
        residues = sum(map(len, sequences))
        cost_per_residue = engine.cost(sequences) / max(1, residues)
        return {
            "residues_per_block": max(1, int(tokens / max(cost_per_residue, 1e-3))),
            "records_per_block": BLOCK_RECORDS,
        }


def build_variant_job(options: VariantOptions) -> VariantJob:
    """Loads the model and checks that it can do what is asked for.

    Raises:
        CheckpointError: there is no such model, or it is damaged.
        OptionError: an option does not suit the model or the machine.
    """
    job = build_job(
        EmbedOptions(
            model=options.model,
            device=options.device,
            precision=options.precision,
            tokens_per_batch=options.tokens_per_batch,
            window=options.window,
            overlap=options.overlap,
        )
    )
    if job.model.head is not None:
        job.model.head.to(job.device)
    scorer = Scorer(
        model=job.model,
        device=job.device,
        tokens_per_batch=job.plan()["tokens_per_batch"],
        window=job.window,
    )
    strategy = choose_strategy(scorer, options.strategy)
    return VariantJob(job=job, effects=Effects(scorer=scorer, strategy=strategy))
