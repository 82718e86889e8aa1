"""What a run tells while it goes: lines for the reader, and a table that survives interruptions."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lightning import Trainer
from lightning.pytorch.callbacks import Callback

from bioseq.errors import MissingDependencyError
from bioseq.files import replacing
from bioseq.training.steps import Step

Report = Callable[[str], None]

STEPS_BETWEEN_LINES = 50

_COLUMNS = ("step", "loss", "held_out_loss")


class TrainingLog(Callback):
    """Reports loss, rate and time left of a `Fitting` every few steps; keeps the losses in a table.

    Args:
        report: Takes lines.
        table: Tab-separated file of losses in nats; rows of steps that are done again are replaced.
        board: Folder for the same figures as TensorBoard reads them, or None.
    """

    def __init__(self, report: Report, table: Path, board: Path | None = None) -> None:
        self.report = report
        self.table = table
        self.board = board
        self.writer: Any = None
        self.size = 0
        self.loss = 0.0
        self.started = time.monotonic()
        self.first_step = 0

    def on_train_start(self, trainer: Trainer, pl_module: Any) -> None:
        """Starts the clock and takes out rows of steps to come."""
        self.started, self.first_step = time.monotonic(), trainer.global_step
        if not trainer.is_global_zero:
            return
        if self.board:
            self.writer = open_board(self.board, trainer.global_step + 1)
        rows = _rows_up_to(self.table, trainer.global_step)
        with replacing(self.table) as temporary:
            temporary.write_text("".join(["\t".join(_COLUMNS) + "\n", *rows]))

    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: Any,
        outputs: Any,
        batch: Step[Any],
        batch_idx: int,
    ) -> None:
        """Reports every few steps and at the last."""
        self.loss = self.loss + outputs["loss"]
        if (batch_idx + 1) % trainer.accumulate_grad_batches:
            return
        loss, self.loss = self.loss, 0.0
        self.size += pl_module.size(batch)
        done = trainer.global_step
        if done % STEPS_BETWEEN_LINES and done != trainer.max_steps:
            return
        loss = float(trainer.strategy.reduce(loss, reduce_op="mean"))
        if trainer.is_global_zero:
            self._add(done, "loss", loss)
            self._report_step(done, loss, trainer.max_steps, pl_module.unit)

    def _report_step(self, done: int, loss: float, steps: int, unit: str) -> None:
        seconds = time.monotonic() - self.started
        left = seconds / (done - self.first_step) * (steps - done)
        self.report(
            f"step {done:,} of {steps:,}: loss {loss:.4f}, "
            f"{self.size / seconds:,.0f} {unit}/s, {left / 60:.0f} min left"
        )

    def on_validation_end(self, trainer: Trainer, pl_module: Any) -> None:
        """Reports the held-out loss."""
        if not trainer.is_global_zero:
            return
        loss = float(trainer.callback_metrics["held_out_loss"])
        self._add(trainer.global_step, "held_out_loss", loss)
        self.report(pl_module.describe_check(trainer.global_step, loss))

    def on_train_end(self, trainer: Trainer, pl_module: Any) -> None:
        """Closes what is open."""
        if self.writer:
            self.writer.close()

    def _add(self, step: int, name: str, loss: float) -> None:
        values = (f"{loss:.6f}" if column == name else "" for column in _COLUMNS[1:])
        with self.table.open("a") as file:
            file.write("\t".join([str(step), *values]) + "\n")
        if self.writer:
            self.writer.add_scalar(name, loss, step)


def open_board(folder: Path, next_step: int) -> Any:
    """Opens a log that TensorBoard reads; figures from `next_step` on are to be written anew.

    Raises:
        MissingDependencyError: `tensorboardX` is not installed.
    """
    try:
        from tensorboardX import SummaryWriter
    except ModuleNotFoundError:
        raise MissingDependencyError("tensorboardX", extra="train") from None
    return SummaryWriter(str(folder), purge_step=next_step)


def _rows_up_to(table: Path, step: int) -> list[str]:
    """Returns the whole rows of a table up to a step; a kill may have cut the last one short."""
    if not table.exists():
        return []
    rows = table.read_text().splitlines(keepends=True)[1:]
    return [row for row in rows if row.endswith("\n") and int(row.split("\t")[0]) <= step]
