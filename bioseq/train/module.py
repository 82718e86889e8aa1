"""What Lightning asks for: the stream of steps, and the module that fits a language model."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import lightning
import torch
from lightning.pytorch.utilities.types import OptimizerLRSchedulerConfig
from torch import Tensor
from torch.optim import AdamW
from torch.optim.lr_scheduler import LambdaLR
from torch.utils.data import IterableDataset

from bioseq.batch import PackedBatch, pack
from bioseq.tokenizer import Tokenizer
from bioseq.train.corpus import Corpus
from bioseq.train.held_out import predict_held_out
from bioseq.train.objective import LanguageModel
from bioseq.train.settings import OptimizerSettings, TrainingSettings

_SEED_STRIDE = 1_000_003


@dataclass(frozen=True, kw_only=True)
class Step:
    """What one optimizer step reads, and which part of it is to be taken.

    Every process knows the whole step, so that masks and mean do not depend on how it is cut.

    Attributes:
        number: The step, from 0.
        batch: Its sequences.
        part: Which of the parts.
        parts: Into how many it is cut, over all processes.
    """

    number: int
    batch: PackedBatch
    part: int = 0
    parts: int = 1

    def to(self, device: torch.device | str) -> Step:
        """Gives the step on another device."""
        return replace(self, batch=self.batch.to(device))


class StepStream(IterableDataset[Step]):
    """One process's parts of the steps of a run, from a given step on.

    Args:
        corpus: Training sequences.
        tokenizer: Makes tokens of them.
        settings: Of the run.
        first_step: Asked when the stream starts, which is after a checkpoint has been read.
        process: Number of the process.
    """

    def __init__(
        self,
        corpus: Corpus,
        tokenizer: Tokenizer,
        settings: TrainingSettings,
        first_step: Callable[[], int],
        *,
        process: int = 0,
    ) -> None:
        self.corpus = corpus
        self.tokenizer = tokenizer
        self.settings = settings
        self.first_step = first_step
        accumulation = settings.run.accumulation
        self.parts = accumulation * settings.run.num_processes
        self.taken = range(process * accumulation, (process + 1) * accumulation)

    def __iter__(self) -> Iterator[Step]:
        first = self.first_step()
        optimizer = self.settings.optimizer
        texts = self.corpus.steps(
            crop=self.settings.data.crop,
            tokens_per_batch=optimizer.tokens_per_batch,
            seed=optimizer.seed,
            start=first,
        )
        for number, sequences in zip(range(first, optimizer.steps), texts, strict=False):
            batch = pack(self.tokenizer.encode(sequences))
            for part in self.taken:
                yield Step(number=number, batch=batch, part=part, parts=self.parts)


class Pretraining(lightning.LightningModule):
    """Fits a language model; its randomness depends on the seed and the step alone.

    Args:
        model: Encoder, head and objective.
        settings: Of the optimizer.
    """

    def __init__(self, model: LanguageModel, settings: OptimizerSettings) -> None:
        super().__init__()
        self.model = model
        self.settings = settings

    def training_step(self, step: Step, index: int) -> Tensor:
        """Gives the loss of a part of a step; the mean over the parts is that of the step."""
        seed = self.settings.seed * _SEED_STRIDE + step.number
        whole = self.model.ask(step.batch, torch.Generator().manual_seed(seed))
        prediction = self.model.answer(whole.part(step.part, step.parts))
        return prediction.loss_of(len(whole.targets)) * step.parts

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Counts the batches of a checkpoint as if today's settings had cut its steps."""
        counts = checkpoint["loops"]["fit_loop"]["epoch_loop.batch_progress"]
        expected = checkpoint["global_step"] * self.trainer.accumulate_grad_batches
        shift = expected - counts["current"]["ready"]
        for name in ("total", "current"):
            counts[name] = {key: count + shift for key, count in counts[name].items()}

    def validation_step(self, batch: PackedBatch, index: int) -> None:
        """Logs the loss on held-out sequences, with the same masks every time.

        Every process reads all of them: what they agree on needs no word between them.
        """
        prediction = predict_held_out(self.model, batch, index)
        self.log("held_out_loss", prediction.loss, batch_size=len(prediction.targets))

    def configure_optimizers(self) -> OptimizerLRSchedulerConfig:
        """Builds AdamW with warm-up and cosine decay; vectors are not decayed."""
        matrices = [p for p in self.parameters() if p.dim() > 1]
        vectors = [p for p in self.parameters() if p.dim() <= 1]
        groups = [
            {"params": matrices, "weight_decay": self.settings.weight_decay},
            {"params": vectors, "weight_decay": 0.0},
        ]
        optimizer = AdamW(groups, lr=self.settings.learning_rate, betas=(0.9, 0.98))
        schedule = LambdaLR(optimizer, lambda step: learning_rate_factor(step, self.settings))
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }


def learning_rate_factor(step: int, settings: OptimizerSettings) -> float:
    """Gives the share of the highest learning rate: linear warm-up, then half a cosine to zero."""
    if step < settings.warmup_steps:
        return (step + 1) / settings.warmup_steps
    rest = max(1, settings.steps - settings.warmup_steps)
    return 0.5 * (1 + math.cos(math.pi * min(1.0, (step - settings.warmup_steps) / rest)))
