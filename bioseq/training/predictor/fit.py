"""Fitting a head, and an encoder with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int64
from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.utilities.types import OptimizerLRSchedulerConfig
from torch import Tensor, nn
from torch.optim import AdamW

from bioseq.errors import OptionError
from bioseq.heads import Head, HeadConfig, build_head
from bioseq.labels.target import level_widths
from bioseq.training.fitting import Fitting, trained_weights, with_schedule
from bioseq.training.predictor.dataset import LabelledStates
from bioseq.training.predictor.epochs import Epochs, schedule_epochs
from bioseq.training.predictor.loss import joint_loss
from bioseq.training.predictor.settings import FittingSettings, HeadSettings, PredictorSettings
from bioseq.training.predictor.table import LabelTable
from bioseq.training.steps import Step, derive_seed
from bioseq.training.trainer import ResumableTrainer, Schedule

Members = Int64[np.ndarray, " batch"]


class HeadFitting(Fitting):
    """Fits one member; its randomness depends on the seed, the step and the part alone.

    Args:
        head: What is fitted; the states are, too, where they have weights that are not frozen.
        labelled: What it is fitted on.
        epochs: What the steps read.
        optimizer: How.
        encoder_rate: Highest learning rate of the states' weights; 0 for that of the head.
    """

    model: nn.ModuleDict
    unit = "residues"

    def __init__(
        self,
        head: Head,
        labelled: LabelledStates,
        epochs: Epochs,
        optimizer: FittingSettings,
        encoder_rate: float = 0.0,
    ) -> None:
        super().__init__(nn.ModuleDict({"head": head, "states": labelled.states}))
        self.labelled = labelled
        self.epochs = epochs
        self.settings = optimizer
        self.encoder_rate = encoder_rate or optimizer.learning_rate
        valid = labelled.lengths[labelled.table.members("valid")].sum()
        self.valid_batches = float(valid / optimizer.residues_per_batch)

    def size(self, step: Step[Members]) -> int:
        """Returns the residues of a step."""
        return int(self.labelled.lengths[step.batch].sum())

    def describe_check(self, step: int, loss: float) -> str:
        """Words the loss on the valid part after so many steps."""
        return f"epoch {-(-step // self.epochs.steps_each)}, loss on the valid part {loss:.4f}"

    def training_step(self, step: Step[Members], index: int) -> Tensor:
        """Returns the loss of a part of a step; the mean over the parts is that of the step."""
        seed = derive_seed(self.epochs.seed, step.number) * step.parts + step.part
        torch.manual_seed(seed % 2**63)
        return self._cost(step) * step.parts

    def validation_step(self, step: Step[Members], index: int) -> None:
        """Logs the mean loss over the labelled rows of the valid part, all processes together."""
        loss = self._cost(step) / self.valid_batches
        self.log("held_out_loss", loss, reduce_fx="sum", sync_dist=True)

    def _cost(self, step: Step[Members]) -> Float[Tensor, ""]:
        """Adds up the loss of a part of a batch."""
        taken = step.batch[step.part :: step.parts]
        # Every process gives gradients: one without a sequence takes the first, for nothing.
        weight = 1.0 if len(taken) else 0.0
        states, layout, labels = self.labelled.batch(taken if len(taken) else step.batch[:1])
        outputs = self.model["head"](states, layout)
        return weight * joint_loss(outputs, labels, self.labelled.targets, self.labelled.factors)

    def configure_optimizers(self) -> OptimizerLRSchedulerConfig:
        """Builds AdamW with warm-up and cosine decay, with a rate each for head and encoder."""
        settings = self.settings
        groups = [
            {"params": list(trained_weights(self.model[name]).values()), "lr": rate}
            for name, rate in (("head", settings.learning_rate), ("states", self.encoder_rate))
        ]
        return with_schedule(
            AdamW(groups, weight_decay=settings.weight_decay),
            steps=self.epochs.steps,
            warmup_steps=max(1, round(self.epochs.steps * settings.warmup)),
        )

    def configure_callbacks(self) -> list[Callback]:
        """Adds the check of a last epoch that is cut short."""
        return [LastCheck()]


class LastCheck(Callback):
    """Has a check follow the last step, also where it ends no epoch."""

    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Asks the trainer to stop, before which it checks."""
        if trainer.global_step == trainer.max_steps:
            trainer.should_stop = True


@dataclass(frozen=True, kw_only=True)
class Member:
    """One of the heads whose mean a predictor gives.

    Attributes:
        head: Its shape.
        optimizer: How it is fitted.
        encoder_rate: Highest learning rate of an encoder that is fitted with it; 0 for its own.
        epochs: What the steps read.
        trainer: Takes the steps.
    """

    head: HeadSettings
    optimizer: FittingSettings
    encoder_rate: float
    epochs: Epochs
    trainer: ResumableTrainer

    def fit(self, labelled: LabelledStates) -> Head:
        """Fits until the last epoch or until patience ends, and gives the best epoch's head."""
        torch.manual_seed(self.epochs.seed)
        head = build_head(_head_config(self.head, labelled))
        fitting = HeadFitting(head, labelled, self.epochs, self.optimizer, self.encoder_rate)
        residues = self.optimizer.residues_per_batch
        watched = labelled.cut(labelled.table.members("valid"), residues)
        self.trainer.fit(fitting, self.epochs.batches, watched)
        fitting.model.to(labelled.device).eval()  # Lightning leaves it on the CPU, in training
        return head


def schedule_members(
    settings: PredictorSettings,
    table: LabelTable,
    folder: Path,
    report: Callable[[str], None],
    seconds_between_saves: float,
) -> list[Member]:
    """Returns the members of a predictor, each with its seed and a folder for its files.

    Args:
        settings: Of the training.
        table: The labelled sequences.
        folder: For checkpoints, best weights and logs.
        report: Takes lines of progress.
        seconds_between_saves: Time between checkpoints.

    Raises:
        OptionError: the devices are not there, or not as many as started processes; or a trained
            encoder is to have several heads.
    """
    optimizer, encoder = settings.optimizer, settings.encoder
    count = optimizer.members
    if encoder.is_trained and count > 1:
        raise OptionError("[optimizer] members", count, allowed="1 with a trained encoder")
    members = []
    for number in range(count):
        seed = derive_seed(optimizer.seed, number)
        epochs = schedule_epochs(optimizer, table, seed, by_length=encoder.is_trained)
        schedule = Schedule(
            steps=epochs.steps,
            steps_between_checks=epochs.steps_each,
            patience=optimizer.patience,
            clip=optimizer.clip,
            precision=optimizer.precision,
            uses_all_weights=not encoder.is_trained,
            seconds_between_saves=seconds_between_saves,
        )
        own = folder / f"member-{number}" if count > 1 else folder
        members.append(
            Member(
                head=settings.head,
                optimizer=optimizer,
                encoder_rate=encoder.learning_rate,
                epochs=epochs,
                trainer=ResumableTrainer(schedule, settings.run, own, report),
            )
        )
    return members


def _head_config(settings: HeadSettings, labelled: LabelledStates) -> HeadConfig:
    return HeadConfig(
        **asdict(settings),
        outputs=level_widths(labelled.targets),
        input_dim=labelled.states.dim,
    )
