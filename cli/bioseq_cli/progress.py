"""How a run is shown: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from bioseq.checkpoints import Model

SECONDS_BETWEEN_LINES = 10.0


class EmbedProgress:
    """Shows how a run goes, on standard error; a context manager.

    Args:
        label: What is being done.
    """

    def __init__(self, label: str = "embedding") -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self._bar = Progress(
            TextColumn(label),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %  {task.fields[rate]}"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            disable=not sys.stderr.isatty(),
            transient=True,
        )
        self._task = self._bar.add_task("embed", total=1.0, rate="")
        self._started = self._last_line = time.monotonic()
        self._residues = 0
        self._first_fraction: float | None = None

    def __enter__(self) -> EmbedProgress:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def begin(
        self,
        *,
        models: Sequence[Model],
        device: str,
        done_records: int,
        is_finished: bool,
    ) -> None:
        """Says what runs where."""
        if is_finished:
            click.echo("already done, by the same command or one that gives the same", err=True)
            return
        names = ", ".join(model.name for model in models)
        click.echo(f"model {names} on {device}", err=True)
        if done_records:
            click.echo(f"going on behind {done_records:,} records that are done", err=True)
        self._started = self._last_line = time.monotonic()
        self._bar.start()

    def advance(self, *, residues: int, fraction: float | None) -> None:
        """Moves the bar, or writes a line every ten seconds."""
        self._residues += residues
        if self._first_fraction is None:
            self._first_fraction = fraction
        now = time.monotonic()
        rate = f"{self._residues / max(now - self._started, 1e-9):,.0f} residues/s"
        self._bar.update(self._task, completed=fraction or 0.0, rate=rate)
        if self._bar.disable and now - self._last_line >= SECONDS_BETWEEN_LINES:
            self._last_line = now
            click.echo(f"{self._residues:,} residues, {rate}{self._left(now, fraction)}", err=True)

    def _left(self, now: float, fraction: float | None) -> str:
        if fraction is None or self._first_fraction is None:
            return ""
        gone = fraction - self._first_fraction
        if gone <= 0:
            return f", {fraction:.0%} done"
        left = (now - self._started) * (1 - fraction) / gone
        return f", {fraction:.0%} done, {left:,.0f} s left"
