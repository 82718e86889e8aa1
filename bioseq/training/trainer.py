"""Fitting by Lightning, on one device or several, from the last checkpoint on."""

from __future__ import annotations

import logging
import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from lightning import Trainer
from lightning.fabric.plugins.environments.lightning import LightningEnvironment
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.strategies import DDPStrategy
from torch.utils.data import DataLoader

from bioseq.errors import OptionError
from bioseq.files import remove_orphans
from bioseq.training.checkpoint import StepCheckpoint, WholeCheckpointIO
from bioseq.training.fitting import Fitting
from bioseq.training.patience import Patience
from bioseq.training.settings import RunSettings, TrainingPrecision
from bioseq.training.steps import Batch, StepStream, held_out_steps
from bioseq.training.training_log import STEPS_BETWEEN_LINES, Report, TrainingLog

CHECKPOINT_FILE = "last.ckpt"
BEST_FILE = "best.safetensors"
LOG_FILE = "log.tsv"
TENSORBOARD_FOLDER = "tensorboard"

# The others wait so long for the first process, which prepares the run by itself.
_LONGEST_WAIT = timedelta(hours=12)


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """How a fitting goes.

    Attributes:
        steps: Optimizer steps.
        steps_between_checks: Steps between two looks at what is held out.
        patience: Checks without a lower held-out loss after which it ends, with the weights of the
            best check; None to take all steps and keep the last weights.
        clip: Largest norm of the gradient.
        precision: Number format of the matrix products; weights stay float32.
        uses_all_weights: Whether every step gives every weight a gradient.
        seconds_between_saves: Time between checkpoints; there is one at the end in any case.
    """

    steps: int
    steps_between_checks: int
    patience: int | None
    clip: float
    precision: TrainingPrecision
    uses_all_weights: bool = True
    seconds_between_saves: float


class ResumableTrainer:
    """Fits from the last checkpoint on; each process of a run has its own.

    Args:
        schedule: How it goes.
        run: Where it takes place.
        folder: For checkpoint, best weights and logs.
        report: Takes lines of progress, in the first process.

    Raises:
        OptionError: the devices are not there, or not as many as started processes.
    """

    def __init__(self, schedule: Schedule, run: RunSettings, folder: Path, report: Report) -> None:
        self._last = folder / CHECKPOINT_FILE
        self._patience = (
            Patience(schedule.patience, folder / BEST_FILE) if schedule.patience else None
        )
        board = folder / TENSORBOARD_FOLDER if run.tensorboard else None
        callbacks = [
            TrainingLog(report, folder / LOG_FILE, board),
            *([self._patience] if self._patience else []),
            StepCheckpoint(self._last, schedule.seconds_between_saves),
        ]
        self._trainer = _build_trainer(schedule, run, callbacks)

    @property
    def is_first(self) -> bool:
        """Whether this is the process that prepares, reports and writes."""
        return self._trainer.is_global_zero

    @property
    def steps(self) -> int:
        """Steps taken."""
        return self._trainer.global_step

    @property
    def lowest_loss(self) -> float:
        """Held-out loss of the best check; infinite without patience."""
        return self._patience.lowest if self._patience else math.inf

    def wait_for_first(self) -> None:
        """Returns when the first process fits, and in that process at once.

        Where Lightning has all processes meet before it fits, the others go ahead to.
        """
        if not self.is_first:
            self._trainer.strategy.setup_environment()

    def fit(
        self,
        fitting: Fitting,
        batches: Callable[[int], Iterator[Batch]],
        watched: Sequence[Batch],
    ) -> None:
        """Fits from the last checkpoint, or from the start.

        Args:
            fitting: Its model is changed in place.
            batches: Gives what the steps read, from a given step on.
            watched: What is held out for the checks.
        """
        folder = self._last.parent
        if self.is_first:
            folder.mkdir(parents=True, exist_ok=True)
            remove_orphans(folder)
        steps = StepStream(batches, self._trainer)
        checks: Any = held_out_steps(watched, self._trainer)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="lightning")
            self._trainer.fit(
                fitting.train(),
                DataLoader(steps, batch_size=None),
                DataLoader(checks, batch_size=None),
                ckpt_path=self._last if self._last.exists() else None,
            )
            self._trainer.save_checkpoint(self._last)
        if self._patience:
            self._patience.restore_best(fitting.model)

    def meet(self) -> None:
        """Returns when all processes have called this."""
        self._trainer.strategy.barrier()


def _build_trainer(schedule: Schedule, run: RunSettings, callbacks: list[Callback]) -> Trainer:
    for name in ("lightning.pytorch", "lightning.fabric", "lightning.pytorch.utilities.rank_zero"):
        logging.getLogger(name).setLevel(logging.ERROR)
    try:
        return Trainer(
            accelerator="auto",
            precision="bf16-mixed" if schedule.precision == "bfloat16" else "32-true",
            max_steps=schedule.steps,
            accumulate_grad_batches=run.accumulation,
            gradient_clip_val=schedule.clip,
            val_check_interval=schedule.steps_between_checks * run.accumulation,
            check_val_every_n_epoch=None,
            num_sanity_val_steps=0,
            callbacks=callbacks,
            logger=False,
            log_every_n_steps=STEPS_BETWEEN_LINES,
            enable_progress_bar=False,
            enable_model_summary=False,
            use_distributed_sampler=False,
            **_place(schedule, run),
        )
    except (MisconfigurationException, RuntimeError, ValueError) as error:
        found = f"{run.devices} on each of {run.nodes} nodes"
        raise OptionError("devices", found, allowed=f"what is there: {error}") from None


def _place(schedule: Schedule, run: RunSettings) -> dict[str, Any]:
    if run.num_processes == 1:
        # The variables of a surrounding SLURM job must not make one process look for others.
        return {"devices": 1, "plugins": [WholeCheckpointIO(), LightningEnvironment()]}
    unused = not schedule.uses_all_weights
    return {
        "devices": run.devices,
        "num_nodes": run.nodes,
        "plugins": [WholeCheckpointIO()],
        "strategy": DDPStrategy(timeout=_LONGEST_WAIT, find_unused_parameters=unused),
    }
