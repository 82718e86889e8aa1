"""What the processes of a run read."""

from __future__ import annotations

from collections.abc import Callable

from lightning import LightningDataModule, Trainer
from torch.utils.data import DataLoader

from bioseq.tokenizer import Tokenizer
from bioseq.train.held_out import held_out_batches
from bioseq.train.module import StepStream
from bioseq.train.settings import TrainingSettings
from bioseq.train.split import Split


class Batches(LightningDataModule):
    """Each process's parts of the steps, and the held-out batches.

    Args:
        load: Gives the split; called once the processes have met.
        tokenizer: Makes tokens of the sequences.
        settings: Of the run.
        trainer: Knows the process and the step.
    """

    def __init__(
        self,
        load: Callable[[], Split],
        tokenizer: Tokenizer,
        settings: TrainingSettings,
        trainer: Trainer,
    ) -> None:
        super().__init__()
        self._load = load
        self._tokenizer = tokenizer
        self._settings = settings
        self._trainer = trainer

    def setup(self, stage: str) -> None:
        """Loads the split."""
        self._split = self._load()

    def train_dataloader(self) -> DataLoader[object]:
        """Gives the steps from the trainer's on."""
        steps = StepStream(
            self._split.train,
            self._tokenizer,
            self._settings,
            lambda: self._trainer.global_step,
            process=self._trainer.global_rank,
        )
        return DataLoader(steps, batch_size=None)

    def val_dataloader(self) -> DataLoader[object]:
        """Gives the batches that a run is watched by."""
        limit = self._settings.data.validation_sequences
        watched = held_out_batches(self._split.valid, self._tokenizer, self._settings, limit=limit)
        return DataLoader(watched, batch_size=None)  # pyright: ignore[reportArgumentType]
