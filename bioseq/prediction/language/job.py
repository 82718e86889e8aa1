"""The job of asking a language model about every sequence, whatever it is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Protocol, runtime_checkable

from bioseq.embedding import EmbedOptions
from bioseq.embedding.job import FurtherJob, Job, build_job
from bioseq.prediction.language.options import LanguageOptions
from bioseq.prediction.language.scorer import Scorer
from bioseq.runs import BLOCK_RECORDS, BlockEngine, choose_tokens_per_block

NOT_FINITE = (
    "a number is not finite: the model can't foretell a symbol of it, or needs --precision float32"
)


@runtime_checkable
class LanguageEngine(BlockEngine, Protocol):
    """Asks the model about the sequences of a block."""

    @property
    def kept(self) -> int:
        """Numbers that are kept of a token until its block is written."""
        ...

    def settings(self) -> dict[str, object]:
        """Returns what changes a number beside model and strategy."""
        ...

    def attributes(self) -> dict[str, dict[str, object]]:
        """Returns what tells what the values are, for each prediction by its name."""
        ...


@dataclass(frozen=True, kw_only=True)
class LanguageJob(FurtherJob):
    """What is asked, and how; see `StoreJob`.

    Attributes:
        strategy: How the model is asked.
        asking: What is asked.
    """

    strategy: str
    asking: LanguageEngine

    def settings(self) -> dict[str, object]:
        """Returns everything that changes a number."""
        shared = {k: v for k, v in self.job.settings().items() if k not in ("outputs", "save_as")}
        return {**shared, "strategy": self.strategy, **self.asking.settings()}

    def attributes(self) -> dict[str, dict[str, object]]:
        """Returns the attributes of the values, by path."""
        window = self.job.window
        common = {
            "model": self.model.name,
            "weights_sha256": self.model.weights_sha256,
            "strategy": self.strategy,
            "precision": self.options.precision,
            "window": window.length if window else 0,
            "overlap": window.overlap if window else 0,
        }
        return {
            f"predictions/{name}": {**common, **own}
            for name, own in self.asking.attributes().items()
        }

    def block_sizes(self) -> dict[str, int]:
        """Returns the sizes of blocks, of about half a minute of work each."""
        return {
            "residues_per_block": choose_tokens_per_block(
                self.model.encoder.flops_per_token, self.device, kept=self.asking.kept
            ),
            "records_per_block": BLOCK_RECORDS,
        }

    def engine(self, block_sizes: Mapping[str, int]) -> LanguageEngine:
        """Returns what asks about a block; batches are cut anew in every run."""
        return self.asking


def build_scorer(options: LanguageOptions) -> tuple[Job, Scorer]:
    """Loads a language model, and gives it with what asks it.

    Raises:
        CheckpointError: there is no such model, or it is damaged.
        OptionError: an option does not suit the model or the machine, or it has no head.
    """
    shared = {field.name: getattr(options, field.name) for field in fields(LanguageOptions)}
    job = build_job(EmbedOptions(**shared))
    if job.model.head is not None:
        job.model.head.to(job.device)
    scorer = Scorer(
        model=job.model,
        device=job.device,
        tokens_per_batch=job.block_sizes()["tokens_per_batch"],
        window=job.window,
    )
    return job, scorer
