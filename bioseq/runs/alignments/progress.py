"""How far the work on alignments has come."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from bioseq.checkpoints import Model
from bioseq.runs.progress import Progress
from bioseq.store import UnfinishedWork


class AlignmentMeter:
    """Turns finished alignments into progress.

    Args:
        total: All alignments.
        progress: Is told; may be None.
    """

    def __init__(self, total: int, progress: Progress | None) -> None:
        self._done, self._total, self._progress = 0, total, progress

    def begin(self, models: Sequence[Model], device: torch.device, work: UnfinishedWork) -> None:
        """The work begins, behind the alignments that are done."""
        self._done = work.num_records
        if self._progress is not None:
            self._progress.begin(
                models=models,
                device=str(device),
                done_records=work.num_records,
                is_finished=work.is_finished,
            )

    def advance(self, _: str, residues: int) -> None:
        """One more is done."""
        self._done += 1
        if self._progress is not None:
            self._progress.advance(residues=residues, fraction=self._done / self._total)
