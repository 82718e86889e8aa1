"""How far a run has come."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from bioseq.checkpoints import Model


@runtime_checkable
class Progress(Protocol):
    """Is told how a run goes."""

    def begin(
        self,
        *,
        models: Sequence[Model],
        device: str,
        done_records: int,
        is_finished: bool,
    ) -> None:
        """The run begins, behind the records that are done; or all was done before."""
        ...

    def advance(self, *, residues: int, fraction: float | None) -> None:
        """Residues were computed, and a fraction of all work is done; None where unknown."""
        ...


class Meter:
    """Turns what has been read of the input into what has been done of it.

    Args:
        progress: Is told; may be None.
        fraction: The part of the input that was done before; None where unknown.
    """

    def __init__(self, progress: Progress | None, fraction: float | None) -> None:
        self._progress = progress
        self._before = self._behind = fraction
        self._in_block = self._done_in_block = 0

    def begin_block(self, residues: int, fraction: float | None) -> None:
        """A block begins: so many residues are to be encoded, so much of the input is read."""
        self._before, self._behind = self._behind, fraction
        self._in_block, self._done_in_block = residues, 0

    def advance(self, residues: int) -> None:
        """Residues of the block were encoded."""
        self._done_in_block += residues
        if self._progress is not None:
            self._progress.advance(residues=residues, fraction=self._fraction())

    def _fraction(self) -> float | None:
        if self._before is None or self._behind is None:
            return None
        share = min(1.0, self._done_in_block / max(1, self._in_block))
        return self._before + share * (self._behind - self._before)
