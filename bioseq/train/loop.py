"""The fitting itself: Lightning's trainer with checkpoints that a kill can't damage."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
from lightning import LightningModule, Trainer
from lightning.fabric.plugins.environments.lightning import LightningEnvironment
from lightning.fabric.plugins.io.torch_io import TorchCheckpointIO
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch.callbacks import Callback, ModelCheckpoint
from lightning.pytorch.strategies import DDPStrategy
from safetensors.torch import load_model

from bioseq.errors import OptionError
from bioseq.store.replacement import remove_orphans, replacing
from bioseq.tokenizer import Tokenizer
from bioseq.train.data import Batches
from bioseq.train.module import Pretraining
from bioseq.train.objective import LanguageModel
from bioseq.train.patience import Patience
from bioseq.train.progress import STEPS_BETWEEN_LINES, Progress, Report
from bioseq.train.settings import RunSettings, TrainingSettings
from bioseq.train.split import Split
from bioseq.typing import AnyPath

CHECKPOINT_FILE = "last.ckpt"
BEST_FILE = "best.safetensors"
LOG_FILE = "log.tsv"
TENSORBOARD_FOLDER = "tensorboard"

_STEPS_BETWEEN_CHECKS = 500
# The others wait so long for the first process, which splits the sequences by itself.
_LONGEST_WAIT = timedelta(hours=12)


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


class StepCheckpoint(ModelCheckpoint):
    """Saves between steps, and behind the check of a step that has one.

    The gradients of a step half done are in no checkpoint, and a resumed run does not make up for a
    check that was to come.
    """

    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Saves when it is time."""
        done = batch_idx + 1
        is_step, has_check = (
            done % (count * trainer.accumulate_grad_batches) == 0
            for count in (1, _STEPS_BETWEEN_CHECKS)
        )
        if is_step and not has_check:
            super().on_train_batch_end(trainer, pl_module, outputs, batch, batch_idx)

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Saves when it is time."""
        super().on_train_batch_end(trainer, pl_module, None, None, 0)


def build_trainer(
    settings: TrainingSettings, folder: Path, report: Report, seconds_between_saves: float
) -> Trainer:
    """Builds the trainer, which knows this process's place among those of the run.

    Args:
        settings: Of the run.
        folder: For checkpoint and logs.
        report: Takes lines of progress, in the first process.
        seconds_between_saves: Time between checkpoints; there is one at the end in any case.

    Raises:
        OptionError: the devices are not there, or not as many as started processes.
    """
    for name in ("lightning.pytorch", "lightning.fabric", "lightning.pytorch.utilities.rank_zero"):
        logging.getLogger(name).setLevel(logging.ERROR)
    optimizer, run = settings.optimizer, settings.run
    try:
        return Trainer(
            accelerator="auto",
            precision="bf16-mixed" if optimizer.precision == "bfloat16" else "32-true",
            max_steps=optimizer.steps,
            accumulate_grad_batches=run.accumulation,
            gradient_clip_val=optimizer.clip,
            val_check_interval=_STEPS_BETWEEN_CHECKS * run.accumulation,
            check_val_every_n_epoch=None,
            num_sanity_val_steps=0,
            callbacks=_callbacks(settings, folder, report, seconds_between_saves),
            logger=False,
            log_every_n_steps=STEPS_BETWEEN_LINES,
            enable_progress_bar=False,
            enable_model_summary=False,
            use_distributed_sampler=False,
            **_place(run),
        )
    except (MisconfigurationException, RuntimeError, ValueError) as error:
        found = f"{run.devices} on each of {run.nodes} nodes"
        raise OptionError("devices", found, allowed=f"what is there: {error}") from None


def _place(run: RunSettings) -> dict[str, Any]:
    if run.num_processes == 1:
        # The variables of a surrounding SLURM job must not make one process look for others.
        return {"devices": 1, "plugins": [WholeCheckpointIO(), LightningEnvironment()]}
    return {
        "devices": run.devices,
        "num_nodes": run.nodes,
        "plugins": [WholeCheckpointIO()],
        "strategy": DDPStrategy(timeout=_LONGEST_WAIT),
    }


def _callbacks(
    settings: TrainingSettings, folder: Path, report: Report, seconds_between_saves: float
) -> list[Callback]:
    saving = StepCheckpoint(
        dirpath=folder,
        filename=Path(CHECKPOINT_FILE).stem,
        train_time_interval=timedelta(seconds=seconds_between_saves),
        enable_version_counter=False,
    )
    board = folder / TENSORBOARD_FOLDER if settings.run.tensorboard else None
    callbacks = [saving, Progress(report, folder / LOG_FILE, board)]
    if settings.optimizer.patience is not None:
        callbacks.append(Patience(settings.optimizer.patience, folder / BEST_FILE))
    return callbacks


def fit(
    trainer: Trainer,
    model: LanguageModel,
    load: Callable[[], Split],
    tokenizer: Tokenizer,
    settings: TrainingSettings,
    folder: Path,
) -> int:
    """Fits a model from its last checkpoint in a folder, or from the start; gives the steps taken.

    Args:
        trainer: Of this process.
        model: Changed in place; with patience it ends with the weights of the best check.
        load: Gives sequences to fit on and to watch, once the first process has split them.
        tokenizer: Makes tokens of them.
        settings: Of the run.
        folder: For the checkpoint and the log.
    """
    if trainer.is_global_zero:
        remove_orphans(folder)
    last, best = folder / CHECKPOINT_FILE, folder / BEST_FILE
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="lightning")
        trainer.fit(
            Pretraining(model, settings.optimizer),
            datamodule=Batches(load, tokenizer, settings, trainer),
            ckpt_path=last if last.exists() else None,
        )
        trainer.save_checkpoint(last)
    if settings.optimizer.patience is not None and best.exists():
        load_model(model, best)
    return trainer.global_step
