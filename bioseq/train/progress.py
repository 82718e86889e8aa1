"""What a run tells while it goes: lines for the reader, and a table that survives interruptions."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lightning import LightningModule, Trainer
from lightning.pytorch.callbacks import Callback

from bioseq.store.replacement import replacing

Report = Callable[[str], None]

STEPS_BETWEEN_LINES = 50

_COLUMNS = ("step", "loss", "held_out_loss")


class Progress(Callback):
    """Reports loss, rate and time left every few steps, and keeps the losses in a table.

    Args:
        report: Takes lines.
        table: Tab-separated file of losses in nats; rows of steps that are done again are replaced.
    """

    def __init__(self, report: Report, table: Path) -> None:
        self.report = report
        self.table = table
        self.tokens = 0
        self.started = time.monotonic()
        self.first_step = 0

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Starts the clock and takes out rows of steps to come."""
        self.started, self.first_step = time.monotonic(), trainer.global_step
        rows = _rows_up_to(self.table, trainer.global_step)
        with replacing(self.table) as temporary:
            temporary.write_text("".join(["\t".join(_COLUMNS) + "\n", *rows]))

    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Reports every few steps and at the last."""
        self.tokens += len(batch.batch.tokens)
        done = trainer.global_step
        if done % STEPS_BETWEEN_LINES and done != trainer.max_steps:
            return
        seconds = time.monotonic() - self.started
        left = seconds / (done - self.first_step) * (trainer.max_steps - done)
        loss = float(trainer.callback_metrics["loss"])
        self._add_row(done, f"{loss:.6f}", "")
        self.report(
            f"step {done:,} of {trainer.max_steps:,}: loss {loss:.4f}, "
            f"{self.tokens / seconds:,.0f} tokens/s, {left / 60:.0f} min left"
        )

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Reports the held-out perplexity."""
        loss = float(trainer.callback_metrics["held_out_loss"])
        self._add_row(trainer.global_step, "", f"{loss:.6f}")
        self.report(f"step {trainer.global_step:,}: held-out perplexity {math.exp(loss):.3f}")

    def _add_row(self, step: int, loss: str, held_out_loss: str) -> None:
        with self.table.open("a") as file:
            file.write(f"{step}\t{loss}\t{held_out_loss}\n")


def _rows_up_to(table: Path, step: int) -> list[str]:
    """Gives the whole rows of a table up to a step; a kill may have cut the last one short."""
    if not table.exists():
        return []
    rows = table.read_text().splitlines(keepends=True)[1:]
    return [row for row in rows if row.endswith("\n") and int(row.split("\t")[0]) <= step]
