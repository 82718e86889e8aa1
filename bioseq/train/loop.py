"""The fitting itself: Lightning's trainer with checkpoints that a kill can't damage."""

from __future__ import annotations

import logging
import warnings
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
from lightning import Trainer
from lightning.fabric.plugins.environments.lightning import LightningEnvironment
from lightning.fabric.plugins.io.torch_io import TorchCheckpointIO
from lightning.pytorch.callbacks import ModelCheckpoint
from torch.utils.data import DataLoader

from bioseq.store.replacement import remove_orphans, replacing
from bioseq.tokenizer import Tokenizer
from bioseq.train.held_out import held_out_batches
from bioseq.train.module import Pretraining, StepStream
from bioseq.train.objective import LanguageModel
from bioseq.train.progress import STEPS_BETWEEN_LINES, Progress, Report
from bioseq.train.settings import TrainingSettings
from bioseq.train.split import Split
from bioseq.typing import AnyPath

CHECKPOINT_FILE = "last.ckpt"
LOG_FILE = "log.tsv"

_STEPS_BETWEEN_CHECKS = 500


class WholeCheckpointIO(TorchCheckpointIO):
    """Writes a checkpoint beside the old one, syncs it and renames it.

    Lightning's own writes to the system's temporary folder and moves the file: a copy, which a kill
    can cut short, where that folder is on another file system.
    """

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: AnyPath, storage_options: Any | None = None
    ) -> None:
        """Replaces the checkpoint at a path."""
        with replacing(Path(path)) as temporary:
            torch.save(checkpoint, temporary)


def fit(
    model: LanguageModel,
    split: Split,
    tokenizer: Tokenizer,
    settings: TrainingSettings,
    folder: Path,
    *,
    report: Report,
    seconds_between_saves: float,
) -> None:
    """Fits a model from its last checkpoint in a folder, or from the start.

    Args:
        model: Changed in place.
        split: Sequences to fit on and to watch.
        tokenizer: Makes tokens of them.
        settings: Of the run.
        folder: For the checkpoint and the log.
        report: Takes lines of progress.
        seconds_between_saves: Time between checkpoints; there is one at the end in any case.
    """
    remove_orphans(folder)
    module = Pretraining(model, settings.optimizer)
    limit = settings.data.validation_sequences
    watched = held_out_batches(split.valid, tokenizer, settings, limit=limit)
    trainer = _build_trainer(settings, folder, report, seconds_between_saves)
    steps = StepStream(split.train, tokenizer, settings, lambda: trainer.global_step)
    last = folder / CHECKPOINT_FILE
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="lightning")
        trainer.fit(
            module,
            DataLoader(steps, batch_size=None),
            DataLoader(watched, batch_size=None),  # pyright: ignore[reportArgumentType]
            ckpt_path=last if last.exists() else None,
        )
        trainer.save_checkpoint(last)


def _build_trainer(
    settings: TrainingSettings, folder: Path, report: Report, seconds_between_saves: float
) -> Trainer:
    for name in ("lightning.pytorch", "lightning.fabric", "lightning.pytorch.utilities.rank_zero"):
        logging.getLogger(name).setLevel(logging.ERROR)
    saving = ModelCheckpoint(
        dirpath=folder,
        filename=Path(CHECKPOINT_FILE).stem,
        train_time_interval=timedelta(seconds=seconds_between_saves),
        enable_version_counter=False,
    )
    return Trainer(
        accelerator="auto",
        devices=1,
        precision="bf16-mixed" if settings.optimizer.precision == "bfloat16" else "32-true",
        max_steps=settings.optimizer.steps,
        gradient_clip_val=settings.optimizer.clip,
        val_check_interval=_STEPS_BETWEEN_CHECKS,
        check_val_every_n_epoch=None,
        num_sanity_val_steps=0,
        callbacks=[saving, Progress(report, folder / LOG_FILE)],
        # One process: the variables of a surrounding SLURM job must not make it look for others.
        plugins=[WholeCheckpointIO(), LightningEnvironment()],
        logger=False,
        log_every_n_steps=STEPS_BETWEEN_LINES,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
