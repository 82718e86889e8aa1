"""The fitting of a language model: how it goes, what its steps read, what it is watched by."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import torch
from lightning.pytorch.utilities.types import OptimizerLRSchedulerConfig
from torch import Tensor
from torch.optim import AdamW

from bioseq.batch import PackedBatch, pack
from bioseq.tokenizer import Tokenizer
from bioseq.training.fitting import Fitting, with_schedule
from bioseq.training.held_out import held_out_batches, predict_held_out
from bioseq.training.objective import LanguageModel
from bioseq.training.settings import OptimizerSettings, TrainingSettings
from bioseq.training.split import Split
from bioseq.training.steps import Step, derive_seed
from bioseq.training.trainer import ResumableTrainer, Schedule
from bioseq.training.training_log import Report

_STEPS_BETWEEN_CHECKS = 500


class Pretraining(Fitting):
    """Fits a language model; its randomness depends on the seed and the step alone.

    Args:
        model: Encoder, head and objective.
        settings: Of the optimizer.
    """

    model: LanguageModel
    unit = "tokens"

    def __init__(self, model: LanguageModel, settings: OptimizerSettings) -> None:
        super().__init__(model)
        self.settings = settings

    def size(self, step: Step[PackedBatch]) -> int:
        """Returns the tokens of a step."""
        return len(step.batch.tokens)

    def describe_check(self, step: int, loss: float) -> str:
        """Words the held-out perplexity after so many steps."""
        return f"step {step:,}: held-out perplexity {math.exp(loss):.3f}"

    def training_step(self, step: Step[PackedBatch], index: int) -> Tensor:
        """Returns the loss of a part of a step; the mean over the parts is that of the step."""
        generator = torch.Generator().manual_seed(derive_seed(self.settings.seed, step.number))
        whole = self.model.ask(step.batch, generator)
        prediction = self.model.answer(whole.part(step.part, step.parts))
        return prediction.loss_of(len(whole.targets)) * step.parts

    def validation_step(self, step: Step[PackedBatch], index: int) -> None:
        """Logs the loss on held-out sequences, with the same masks every time.

        Every process reads all of them: what they agree on needs no word between them.
        """
        prediction = predict_held_out(self.model, step.batch, step.number)
        self.log("held_out_loss", prediction.loss, batch_size=len(prediction.targets))

    def configure_optimizers(self) -> OptimizerLRSchedulerConfig:
        """Builds AdamW with warm-up and cosine decay; vectors are not decayed."""
        settings = self.settings
        matrices = [p for p in self.parameters() if p.dim() > 1]
        vectors = [p for p in self.parameters() if p.dim() <= 1]
        groups = [
            {"params": matrices, "weight_decay": settings.weight_decay},
            {"params": vectors, "weight_decay": 0.0},
        ]
        optimizer = AdamW(groups, lr=settings.learning_rate, betas=(0.9, 0.98))
        return with_schedule(optimizer, steps=settings.steps, warmup_steps=settings.warmup_steps)


def schedule_pretraining(
    settings: TrainingSettings, folder: Path, report: Report, seconds_between_saves: float
) -> ResumableTrainer:
    """Returns the trainer of a run, with its schedule.

    Args:
        settings: Of the run.
        folder: For checkpoint and logs.
        report: Takes lines of progress, in the first process.
        seconds_between_saves: Time between checkpoints.

    Raises:
        OptionError: the devices are not there, or not as many as started processes.
    """
    schedule = Schedule(
        steps=settings.optimizer.steps,
        steps_between_checks=_STEPS_BETWEEN_CHECKS,
        patience=settings.optimizer.patience,
        clip=settings.optimizer.clip,
        precision=settings.optimizer.precision,
        seconds_between_saves=seconds_between_saves,
    )
    return ResumableTrainer(schedule, settings.run, folder, report)


def fit(
    trainer: ResumableTrainer,
    model: LanguageModel,
    split: Split,
    tokenizer: Tokenizer,
    settings: TrainingSettings,
) -> None:
    """Fits a model from its last checkpoint, or from the start.

    Args:
        trainer: Of this process.
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
    trainer.fit(Pretraining(model, settings.optimizer), batches, watched)
