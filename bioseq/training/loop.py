"""The fitting of a pre-training run: how it goes, what its steps read, what it is watched by."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bioseq.batch import PackedBatch, pack
from bioseq.tokenizer import Tokenizer
from bioseq.training.held_out import held_out_batches
from bioseq.training.objective import LanguageModel
from bioseq.training.pretraining import Pretraining
from bioseq.training.progress import Report
from bioseq.training.settings import TrainingSettings
from bioseq.training.split import Split
from bioseq.training.trainer import Course, Plan

_STEPS_BETWEEN_CHECKS = 500


def plan_course(
    settings: TrainingSettings, folder: Path, report: Report, seconds_between_saves: float
) -> Course:
    """Plans the course of a run.

    Args:
        settings: Of the run.
        folder: For checkpoint and logs.
        report: Takes lines of progress, in the first process.
        seconds_between_saves: Time between checkpoints.

    Raises:
        OptionError: the devices are not there, or not as many as started processes.
    """
    plan = Plan(
        steps=settings.optimizer.steps,
        steps_between_checks=_STEPS_BETWEEN_CHECKS,
        patience=settings.optimizer.patience,
        clip=settings.optimizer.clip,
        precision=settings.optimizer.precision,
        seconds_between_saves=seconds_between_saves,
    )
    return Course(plan, settings.run, folder, report)


def fit(
    course: Course,
    model: LanguageModel,
    split: Split,
    tokenizer: Tokenizer,
    settings: TrainingSettings,
) -> None:
    """Fits a model from its last checkpoint, or from the start.

    Args:
        course: Of this process.
        model: Changed in place; with patience it ends with the weights of the best check.
        split: Sequences to fit on and to watch.
        tokenizer: Makes tokens of them.
        settings: Of the run.
    """

    def batches(first_step: int) -> Iterator[PackedBatch]:
        steps = split.train.steps(
            crop=settings.data.crop,
            tokens_per_batch=settings.optimizer.tokens_per_batch,
            seed=settings.optimizer.seed,
            start=first_step,
        )
        return (pack(tokenizer.encode(sequences)) for sequences in steps)

    limit = settings.data.validation_sequences
    watched = held_out_batches(split.valid, tokenizer, settings, limit=limit)
    course.fit(Pretraining(model, settings.optimizer), batches, watched)
