"""One pre-training run, from settings to a model folder; interrupted anywhere, it goes on."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from bioseq.checkpoints import save_model
from bioseq.errors import OptionError
from bioseq.heads import LanguageHead
from bioseq.models import Encoder, build_encoder
from bioseq.tokenizer import Tokenizer, build_residue_tokenizer
from bioseq.training.extra import naming_extra
from bioseq.training.folder import claim_folder, file_digest, write_json
from bioseq.training.held_out import held_out_batches, held_out_loss
from bioseq.training.objective import LanguageModel
from bioseq.training.result import RunResult
from bioseq.training.settings import TrainingSettings
from bioseq.training.split import Split, load_split

MODEL_FOLDER = "model"
RESULT_FILE = "result.json"
SPLIT_FILE = "split.tsv"


@dataclass(frozen=True, kw_only=True)
class TrainingResult(RunResult):
    """What a finished pre-training gave: a model folder, with the weights of encoder and head.

    Attributes:
        steps: Optimizer steps.
        test_perplexity: Of the tokens that the objective predicts, on the test part.
        unigram_perplexity: Of the same part under the training set's symbol frequencies.
    """

    steps: int
    test_perplexity: float
    unigram_perplexity: float


def pretrain(
    settings: TrainingSettings,
    folder: Path,
    report: Callable[[str], None] = print,
    *,
    seconds_between_saves: float = 300.0,
) -> TrainingResult:
    """Trains a model and writes it to `folder/model`.

    Run again after an interruption, it goes on from the last checkpoint in `folder` and ends with
    the weights of an uninterrupted run (on the CPU with the same number of threads). Run again
    when finished, it gives the result at once.

    With several devices or nodes each process calls this; the first claims the folder, splits the
    sequences, reports and writes, and all give its result.

    Args:
        settings: Of the run.
        folder: For checkpoint, split, log, result and model.
        report: Takes lines of progress.
        seconds_between_saves: Time between checkpoints, which is what a kill can cost.

    Raises:
        FingerprintError: the folder holds a run with other settings or sequences.
        InputError: the sequences can't be read, trained on or split.
        MissingDependencyError: `lightning` is not installed.
        OptionError: the settings ask for an impossible model.
    """
    tokenizer = build_residue_tokenizer(settings.data.molecule)
    model = build_language_model(settings, tokenizer)
    fingerprint = _fingerprint(settings)
    finished = folder / RESULT_FILE
    if finished.exists():
        claim_folder(folder, fingerprint)
        result = _read_result(folder)
        report(f"{folder}: already finished, test perplexity {result.test_perplexity:.3f}")
        return result
    with naming_extra():
        import bioseq.training.pretraining as pretraining
    trainer = pretraining.schedule_pretraining(settings, folder, report, seconds_between_saves)
    if trainer.is_first:
        claim_folder(folder, fingerprint)
    trainer.wait_for_first()
    split = load_split(settings, folder / SPLIT_FILE)
    if trainer.is_first:
        report(_describe(model, split))
    pretraining.fit(trainer, model, split, tokenizer, settings)
    if trainer.is_first:
        _finish(model, split, tokenizer, settings, folder, trainer.steps)
    trainer.meet()
    return _read_result(folder)


def build_language_model(settings: TrainingSettings, tokenizer: Tokenizer) -> LanguageModel:
    """Builds the model of a run with its initial weights.

    Raises:
        OptionError: encoder, objective and crop do not fit each other.
    """
    torch.manual_seed(settings.optimizer.seed)
    size = len(tokenizer.vocabulary)
    encoder = build_encoder({**settings.encoder, "vocabulary_size": size})
    _check_crop(settings.data.crop, encoder, tokenizer)
    return LanguageModel(
        encoder,
        LanguageHead(encoder.dim, size),
        tokenizer,
        objective=settings.objective.kind,
        mask_rate=settings.objective.mask_rate,
    )


def _check_crop(crop: int, encoder: Encoder, tokenizer: Tokenizer) -> None:
    if encoder.max_tokens is not None:
        longest = encoder.max_tokens - len(tokenizer.prefix) - len(tokenizer.suffix)
        if crop > longest:
            raise OptionError("crop", crop, allowed=f"to {longest}, by the encoder's max_tokens")


def _fingerprint(settings: TrainingSettings) -> dict[str, Any]:
    """Returns everything that changes a weight, as plain data."""
    plain = json.loads(json.dumps(asdict(settings), default=str))
    for name in ("folder", "run"):
        plain.pop(name)
    plain["data"]["sequences_sha256"] = file_digest(settings.folder / settings.data.sequences)
    return plain


def _describe(model: LanguageModel, split: Split) -> str:
    held_out = len(split.valid) + len(split.test)
    return (
        f"training {sum(p.numel() for p in model.parameters()) / 1e6:.2f} M parameters "
        f"on {len(split.train):,} sequences; {held_out:,} held out, "
        f"{split.leaks:,} of them similar to a training sequence"
    )


def _finish(
    model: LanguageModel,
    split: Split,
    tokenizer: Tokenizer,
    settings: TrainingSettings,
    folder: Path,
    steps: int,
) -> None:
    save_model(
        Path(_model(folder)),
        encoder=model.encoder,
        tokenizer=tokenizer,
        head=model.head,
        objective=settings.objective.kind,
    )
    loss = held_out_loss(model, held_out_batches(split.test, tokenizer, settings))
    result = TrainingResult(
        folder=_model(folder),
        steps=steps,
        parameters=sum(p.numel() for p in model.parameters()),
        train_sequences=len(split.train),
        valid_sequences=len(split.valid),
        test_sequences=len(split.test),
        leaks=split.leaks,
        test_perplexity=math.exp(loss),
        unigram_perplexity=split.test.unigram_perplexity(split.train),
    )
    write_json(folder / RESULT_FILE, asdict(result))


def _read_result(folder: Path) -> TrainingResult:
    stored = json.loads((folder / RESULT_FILE).read_text())
    return TrainingResult(**{**stored, "folder": _model(folder)})


def _model(folder: Path) -> str:
    return str(folder / MODEL_FOLDER)
