"""The training loop's parts: the Lightning module and the stream of batches."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import lightning
import torch
from torch import Tensor
from torch.optim import AdamW
from torch.optim.lr_scheduler import LambdaLR
from torch.utils.data import IterableDataset

from bioseq.batch import PackedBatch, pack
from bioseq.tokenizer import Tokenizer
from bioseq.train.corpus import Corpus
from bioseq.train.objective import LanguageModel
from bioseq.train.settings import TrainingSettings

_VALIDATION_SEED = 7


@dataclass(frozen=True, kw_only=True)
class Step:
    """What one optimizer step reads.

    Attributes:
        number: The step, from 0.
        batch: Its sequences.
    """

    number: int
    batch: PackedBatch

    def to(self, device: torch.device | str) -> Step:
        """Gives the step on another device."""
        return Step(number=self.number, batch=self.batch.to(device))


class StepStream(IterableDataset[Step]):
    """The batches of a run from a given step on.

    Args:
        corpus: Training sequences.
        tokenizer: Makes tokens of them.
        settings: Of the run.
        first: Called when the stream starts; gives the first step.
    """

    def __init__(
        self, corpus: Corpus, tokenizer: Tokenizer, settings: TrainingSettings, module: Pretraining
    ) -> None:
        self.corpus = corpus
        self.tokenizer = tokenizer
        self.settings = settings
        self.module = module

    def __iter__(self) -> Iterator[Step]:
        first = self.module.trainer.global_step
        optimizer = self.settings.optimizer
        texts = self.corpus.steps(
            crop=self.settings.data.crop,
            tokens_per_batch=optimizer.tokens_per_batch,
            seed=optimizer.seed,
            start=first,
        )
        for number, sequences in zip(range(first, optimizer.steps), texts, strict=False):
            yield Step(number=number, batch=pack(self.tokenizer.encode(sequences)))


class Pretraining(lightning.LightningModule):
    """Fits a language model; its randomness depends on the seed and the step alone.

    Args:
        model: Encoder, head and objective.
        settings: Of the run.
    """

    def __init__(self, model: LanguageModel, settings: TrainingSettings) -> None:
        super().__init__()
        self.model = model
        self.settings = settings

    def training_step(self, step: Step, index: int) -> Tensor:
        """Gives the loss of a step."""
        generator = torch.Generator().manual_seed(
            self.settings.optimizer.seed * 1_000_003 + step.number
        )
        loss = self.model.predict(step.batch, generator).loss
        self.log("loss", loss.detach(), batch_size=1)
        return loss

    def validation_step(self, batch: PackedBatch, index: int) -> None:
        """Logs the loss on held-out sequences, with the same masks every time."""
        generator = torch.Generator().manual_seed(_VALIDATION_SEED + index)
        prediction = self.model.predict(batch, generator)
        self.log("valid_loss", prediction.loss, batch_size=len(prediction.targets))

    def configure_optimizers(self) -> dict[str, object]:
        """Builds AdamW with warm-up and cosine decay."""
        settings = self.settings.optimizer
        matrices = [p for p in self.parameters() if p.dim() > 1]
        vectors = [p for p in self.parameters() if p.dim() <= 1]
        groups = [
            {"params": matrices, "weight_decay": settings.weight_decay},
            {"params": vectors, "weight_decay": 0.0},
        ]
        optimizer = AdamW(groups, lr=settings.learning_rate, betas=(0.9, 0.98))

        def factor(step: int) -> float:
            if step < settings.warmup_steps:
                return (step + 1) / settings.warmup_steps
            rest = max(1, settings.steps - settings.warmup_steps)
            return 0.5 * (1 + math.cos(math.pi * min(1.0, (step - settings.warmup_steps) / rest)))

        scheduler = {"scheduler": LambdaLR(optimizer, factor), "interval": "step"}
        return {"optimizer": optimizer, "lr_scheduler": scheduler}


def held_out_loss(
    model: LanguageModel, batches: list[PackedBatch]
) -> float:
    """Gives the mean loss per predicted token in nats, with the masks of `validation_step`."""
    total, count = 0.0, 0
    training = model.training
    model.eval()
    with torch.inference_mode():
        for index, batch in enumerate(batches):
            generator = torch.Generator().manual_seed(_VALIDATION_SEED + index)
            prediction = model.predict(batch, generator)
            total += float(prediction.loss) * len(prediction.targets)
            count += len(prediction.targets)
    model.train(training)
    return total / count
