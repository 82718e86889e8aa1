"""One pre-training run, from settings to a model folder; interrupted anywhere, it goes on."""

from __future__ import annotations

import json
import logging
import math
import time
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import torch
from lightning.pytorch.callbacks import Callback, ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger
from torch.utils.data import DataLoader

from bioseq.batch import PackedBatch, pack, plan_batches
from bioseq.checkpoints import save_model
from bioseq.errors import FingerprintError
from bioseq.heads import LanguageHead
from bioseq.models import build_encoder
from bioseq.tokenizer import Tokenizer, build_residue_tokenizer
from bioseq.train.corpus import Corpus
from bioseq.train.module import Pretraining, StepStream, held_out_loss
from bioseq.train.objective import LanguageModel
from bioseq.train.settings import TrainingSettings
from bioseq.train.split import load_split

Report = Callable[[str], None]

_STEPS_BETWEEN_LINES = 50
_STEPS_BETWEEN_SAVES = 200
_STEPS_BETWEEN_CHECKS = 500


@dataclass(frozen=True, kw_only=True)
class TrainingResult:
    """What a finished run gave.

    Attributes:
        folder: The model folder.
        steps: Optimizer steps.
        parameters: Weights of encoder and head.
        train_sequences: Sequences fitted on.
        test_sequences: Sequences held out for these figures.
        test_perplexity: Of the tokens that the objective predicts, on the test part.
        unigram_perplexity: Of the same part under the training set's symbol frequencies.
    """

    folder: str
    steps: int
    parameters: int
    train_sequences: int
    test_sequences: int
    test_perplexity: float
    unigram_perplexity: float


def pretrain(settings: TrainingSettings, folder: Path, report: Report = print) -> TrainingResult:
    """Trains a model and writes it to `folder/model`.

    Run again after an interruption, it goes on from the last checkpoint in `folder` and ends with
    the weights of an uninterrupted run (on the CPU with the same number of threads).

    Args:
        settings: Of the run.
        folder: For checkpoints, log and model.
        report: Takes lines of progress.

    Raises:
        FingerprintError: the folder holds a run with other settings.
    """
    _claim(folder, settings)
    split = load_split(settings)
    tokenizer = build_residue_tokenizer(settings.data.molecule)
    model = build_language_model(settings, tokenizer)
    report(
        f"training {sum(p.numel() for p in model.parameters()) / 1e6:.2f} M parameters "
        f"on {len(split.train):,} sequences"
    )
    module = Pretraining(model, settings)
    valid = _batches(
        split.valid, tokenizer, settings, limit=settings.data.validation_sequences
    )
    trainer = _build_trainer(settings, folder, report)
    last = folder / "last.ckpt"
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="lightning")
        trainer.fit(
            module,
            DataLoader(StepStream(split.train, tokenizer, settings, module), batch_size=None),
            DataLoader(valid, batch_size=None),
            ckpt_path=last if last.exists() else None,
        )
    return _finish(model, tokenizer, settings, folder, split.train, split.test)


def build_language_model(settings: TrainingSettings, tokenizer: Tokenizer) -> LanguageModel:
    """Builds the model of a run with its initial weights."""
    torch.manual_seed(settings.optimizer.seed)
    size = len(tokenizer.vocabulary)
    encoder = build_encoder({**settings.encoder, "vocabulary_size": size})
    return LanguageModel(
        encoder,
        LanguageHead(encoder.dim, size),
        tokenizer,
        objective=settings.objective.kind,
        mask_rate=settings.objective.mask_rate,
    )


def _claim(folder: Path, settings: TrainingSettings) -> None:
    """Writes the settings into the folder, or checks that they are the ones already there."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "settings.json"
    now: dict[str, Any] = json.loads(json.dumps(asdict(settings), default=str))
    now.pop("folder")
    if path.exists():
        then = json.loads(path.read_text())
        differences = {
            f"{table}.{key}": (then[table].get(key), now[table].get(key))
            for table in now
            for key in sorted({*then[table], *now[table]})
            if then[table].get(key) != now[table].get(key)
        }
        if differences:
            raise FingerprintError(folder, differences)
    path.write_text(json.dumps(now, indent=2) + "\n")


def _batches(
    corpus: Corpus, tokenizer: Tokenizer, settings: TrainingSettings, *, limit: int | None = None
) -> list[PackedBatch]:
    crop = settings.data.crop
    texts = [corpus.sequence(i, stop=crop) for i in range(len(corpus))][:limit]
    tokens = [tokenizer.encode([text]) for text in texts]
    lengths = [int(t.offsets[-1]) for t in tokens]
    return [
        pack(tokenizer.encode([texts[i] for i in batch]))
        for batch in plan_batches(np.array(lengths), settings.optimizer.tokens_per_batch)
    ]


def _build_trainer(settings: TrainingSettings, folder: Path, report: Report) -> lightning.Trainer:
    for name in ("lightning.pytorch", "lightning.fabric", "lightning.pytorch.utilities.rank_zero"):
        logging.getLogger(name).setLevel(logging.ERROR)
    optimizer = settings.optimizer
    saving = ModelCheckpoint(
        dirpath=folder,
        filename="last",
        every_n_train_steps=_STEPS_BETWEEN_SAVES,
        enable_version_counter=False,
    )
    return lightning.Trainer(
        accelerator="auto",
        devices=1,
        precision="bf16-mixed" if optimizer.precision == "bfloat16" else "32-true",
        max_steps=optimizer.steps,
        gradient_clip_val=optimizer.clip,
        val_check_interval=_STEPS_BETWEEN_CHECKS,
        check_val_every_n_epoch=None,
        num_sanity_val_steps=0,
        callbacks=[saving, ProgressLines(report)],
        logger=CSVLogger(folder, name="log", version=""),
        log_every_n_steps=_STEPS_BETWEEN_LINES,
        enable_progress_bar=False,
        enable_model_summary=False,
    )


class ProgressLines(Callback):
    """Reports loss, rate and time left every few steps."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self.tokens = 0
        self.started = time.monotonic()
        self.first_step = 0

    def on_train_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Starts the clock."""
        self.started, self.first_step = time.monotonic(), trainer.global_step

    def on_train_batch_end(
        self,
        trainer: lightning.Trainer,
        pl_module: lightning.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Reports every few steps."""
        self.tokens += len(batch.batch.tokens)
        done = trainer.global_step
        if done % _STEPS_BETWEEN_LINES and done != trainer.max_steps:
            return
        seconds = time.monotonic() - self.started
        left = seconds / (done - self.first_step) * (trainer.max_steps - done)
        loss = float(trainer.callback_metrics["loss"])
        self.report(
            f"step {done:,} of {trainer.max_steps:,}: loss {loss:.4f}, "
            f"{self.tokens / seconds:,.0f} tokens/s, {left / 60:.0f} min left"
        )

    def on_validation_end(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule
    ) -> None:
        """Reports the held-out perplexity."""
        loss = float(trainer.callback_metrics["valid_loss"])
        self.report(f"step {trainer.global_step:,}: held-out perplexity {math.exp(loss):.3f}")


def _finish(
    model: LanguageModel,
    tokenizer: Tokenizer,
    settings: TrainingSettings,
    folder: Path,
    train: Corpus,
    test: Corpus,
) -> TrainingResult:
    save_model(
        folder / "model",
        encoder=model.encoder,
        tokenizer=tokenizer,
        head=model.head,
        objective=settings.objective.kind,
    )
    result = TrainingResult(
        folder=str(folder / "model"),
        steps=settings.optimizer.steps,
        parameters=sum(p.numel() for p in model.parameters()),
        train_sequences=len(train),
        test_sequences=len(test),
        test_perplexity=math.exp(held_out_loss(model, _batches(test, tokenizer, settings))),
        unigram_perplexity=test.unigram_perplexity(train),
    )
    (folder / "result.json").write_text(json.dumps(asdict(result), indent=2) + "\n")
    return result
