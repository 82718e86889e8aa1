"""The job of a transfer: queries are embedded as the reference was, and compared with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bioseq.embedding.engine import Engine
from bioseq.embedding.job import FurtherJob, Job, build_job
from bioseq.embedding.options import EmbedOptions
from bioseq.errors import CheckpointError, StoreError
from bioseq.prediction.nearest.options import NearestOptions
from bioseq.prediction.nearest.reference import Reference
from bioseq.prediction.nearest.search import find_nearest
from bioseq.prediction.nearest.vote import Vote, fit_vote
from bioseq.runs import BlockValues

NEIGHBOURS, DISTANCES = "neighbours", "distances"


@dataclass(frozen=True, kw_only=True)
class NearestEngine:
    """Embeds sequences and asks their neighbours; see `Engine`.

    Attributes:
        engine: Gives the vectors.
        reference: The labelled entries.
        vote: How they decide.
        options: Number of neighbours and distance.
    """

    engine: Engine
    reference: Reference
    vote: Vote
    options: NearestOptions

    def cost(self, sequence: str) -> int:
        """Returns the residues that go through the encoder."""
        return len(sequence)

    def run(self, sequences: Sequence[str], advance: Callable[[int], None]) -> BlockValues:
        """Predicts some sequences; see `Engine.run`."""
        found = self.engine.run(sequences, advance)
        [values] = found.values.values()
        # A record whose vector is not finite becomes a failure; its neighbours are of no account.
        vectors = np.where(found.finite[:, None], np.asarray(values), 0).astype(np.float64)
        nearest = find_nearest(
            vectors,
            self.reference,
            count=self.options.neighbours,
            metric=self.options.metric,
        )
        labels = self.reference.labels[nearest.entries]
        name = self.options.column
        predictions = {
            name: self.vote.predict(nearest.distances, labels).astype(np.float32),
            f"{name}-{NEIGHBOURS}": self.reference.records[nearest.entries],
            f"{name}-{DISTANCES}": nearest.distances.astype(np.float32),
        }
        return BlockValues(values={}, finite=found.finite, predictions=predictions)


@dataclass(frozen=True, kw_only=True)
class NearestJob(FurtherJob):
    """What is transferred, and how.

    Attributes:
        reference: The labelled entries.
        vote: How they decide.
        nearest: Options of the transfer.
    """

    reference: Reference
    vote: Vote
    nearest: NearestOptions

    def settings(self) -> dict[str, object]:
        """Returns everything that changes a number."""
        return {
            **self.job.settings(),
            "reference_sha256": self.reference.digest,
            "column": self.nearest.column,
            "neighbours": self.nearest.neighbours,
            "metric": self.nearest.metric,
        }

    def attributes(self) -> dict[str, dict[str, object]]:
        """Returns the attributes of each set of values, by path."""
        [embedding] = self.job.attributes().values()
        known, options = self.reference.known, self.nearest
        common = {
            **embedding,
            "task": "nearest",
            "version": self.reference.digest[:12],
            "reference": self.reference.store.path.name,
            "metric": options.metric,
        }
        ranks = [str(rank) for rank in range(1, options.neighbours + 1)]
        kinds = {
            "": ("value" if known.is_value else "classes", list(known.classes)),
            f"-{NEIGHBOURS}": (NEIGHBOURS, ranks),
            f"-{DISTANCES}": (DISTANCES, ranks),
        }
        return {
            f"predictions/{options.column}{suffix}": {**common, "kind": kind, "classes": classes}
            for suffix, (kind, classes) in kinds.items()
        }

    def block_sizes(self) -> dict[str, int]:
        """Returns the sizes of batches and blocks."""
        return self.job.block_sizes()

    def engine(self, block_sizes: Mapping[str, int]) -> NearestEngine:
        """Builds the engine."""
        return NearestEngine(
            engine=self.job.engine(block_sizes),
            reference=self.reference,
            vote=self.vote,
            options=self.nearest,
        )


def build_nearest_job(options: NearestOptions, reference: Reference) -> NearestJob:
    """Loads the reference's model and learns from the reference how neighbours decide.

    Raises:
        CheckpointError: the model is missing, or is not the one that the reference was embedded
            with.
        OptionError: an option does not suit the machine.
        StoreError: the reference does not say how it was embedded.
    """
    job = build_job(_embedding(options, reference))
    _check_same(job, reference)
    vote = fit_vote(reference, count=options.neighbours, metric=options.metric)
    return NearestJob(job=job, reference=reference, vote=vote, nearest=options)


def _embedding(options: NearestOptions, reference: Reference) -> EmbedOptions:
    attributes: dict[str, Any] = reference.view.attrs
    try:
        length = attributes["window"]
        return EmbedOptions(
            model=options.model or attributes["model"],
            pool=attributes["pooling"],
            layers=[attributes["layer"]],
            precision=attributes["precision"],
            save_as=reference.view.dtype.name,  # pyright: ignore[reportArgumentType]
            window=length or None,
            overlap=attributes["overlap"] if length else None,
            device=options.device,
            tokens_per_batch=options.tokens_per_batch,
            molecule=options.molecule,
            format=options.format,
        )
    except KeyError as error:
        problem = f"does not say its {error.args[0]}; only stores of 'bioseq embed' can be searched"
        raise StoreError(reference.store.path, problem) from None


def _check_same(job: Job, reference: Reference) -> None:
    now, then = job.settings(), reference.store.settings
    for name in ("weights_sha256", "encoder", "tokenizer", "window"):
        if now[name] != then.get(name):
            problem = (
                f"not the model that {reference.store.path} was embedded with: {name} was "
                f"{then.get(name)!r}, here {now[name]!r}"
            )
            raise CheckpointError(job.options.model, problem)
