"""Turns a finished pre-training run into a bundled model.

Writes the weights in float16 and prints the figures of the model card, measured with these weights.

    python pipelines/research/pretraining/publish.py RUN_FOLDER SETTINGS.toml \
        bioseq/checkpoints/bundled/NAME
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path

import torch

from bioseq.checkpoints import Model, load_model, save_model
from bioseq.errors import CheckpointError
from bioseq.heads import LanguageHead
from bioseq.training import load_settings
from bioseq.training.held_out import held_out_batches, held_out_loss
from bioseq.training.objective import LanguageModel
from bioseq.training.run import MODEL_FOLDER, SPLIT_FILE
from bioseq.training.settings import TrainingSettings
from bioseq.training.split import Split, load_split


def publish(source: Model, folder: Path) -> Model:
    """Writes a model with its weights in float16, and reads it back."""
    if not isinstance(source.head, LanguageHead) or source.objective is None:
        raise CheckpointError(source.name, "has no language-model head")
    save_model(
        folder,
        encoder=source.encoder,
        tokenizer=source.tokenizer,
        head=source.head,
        objective=source.objective,
        dtype=torch.float16,
    )
    return load_model(folder)


def test_perplexity(model: Model, split: Split, settings: TrainingSettings) -> float:
    """Returns the perplexity of the predicted tokens on the test part."""
    if not isinstance(model.head, LanguageHead) or model.objective is None:
        raise CheckpointError(model.name, "has no language-model head")
    language_model = LanguageModel(
        model.encoder,
        model.head,
        model.tokenizer,
        objective=model.objective,
        mask_rate=settings.objective.mask_rate,
    ).eval()
    batches = held_out_batches(split.test, model.tokenizer, settings)
    return math.exp(held_out_loss(language_model, batches))


def main() -> None:
    """Publishes a run and prints its figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("settings", type=Path)
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    settings = load_settings(arguments.settings)
    model = publish(load_model(arguments.run / MODEL_FOLDER), arguments.folder)
    split = load_split(settings, arguments.run / SPLIT_FILE)
    print(f"weights      {model.weights_sha256}")
    print(f"train        {len(split.train):,} sequences")
    print(f"test         {len(split.test):,} sequences")
    print(f"similar      {split.leaks:,} held-out sequences resemble a training sequence")
    print(f"perplexity   {test_perplexity(model, split, settings):.3f}")
    print(f"unigram      {split.test.unigram_perplexity(split.train):.3f}")


if __name__ == "__main__":
    main()
