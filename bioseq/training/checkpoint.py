"""Checkpoints that a kill can't damage, written where a run can go on."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
from lightning import LightningModule, Trainer
from lightning.fabric.plugins.io.torch_io import TorchCheckpointIO
from lightning.pytorch.callbacks import ModelCheckpoint

from bioseq.files import replacing
from bioseq.typing import AnyPath


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

    Args:
        path: The checkpoint, which is replaced.
        seconds: Time between two of them.
    """

    def __init__(self, path: Path, seconds: float) -> None:
        super().__init__(
            dirpath=path.parent,
            filename=path.stem,
            train_time_interval=timedelta(seconds=seconds),
            enable_version_counter=False,
        )

    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Saves when it is time."""
        done, between_checks = batch_idx + 1, int(trainer.val_check_batch or 1)
        is_step = done % trainer.accumulate_grad_batches == 0
        has_check = done % between_checks == 0 or trainer.should_stop
        if is_step and not has_check:
            super().on_train_batch_end(trainer, pl_module, outputs, batch, batch_idx)

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Saves when it is time."""
        super().on_train_batch_end(trainer, pl_module, None, None, 0)

    def on_load_checkpoint(
        self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Counts the batches of a checkpoint as if today's settings had cut its steps."""
        counts = checkpoint["loops"]["fit_loop"]["epoch_loop.batch_progress"]
        expected = checkpoint["global_step"] * trainer.accumulate_grad_batches
        shift = expected - counts["current"]["ready"]
        for name in ("total", "current"):
            counts[name] = {key: count + shift for key, count in counts[name].items()}
