"""Turns a finished training into a bundled predictor, with all weights in float16.

python pipelines/research/predictors/publish.py runs/TASK bioseq/prediction/tasks/bundled/TASK
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import torch

from bioseq.checkpoints import save_model
from bioseq.checkpoints.weights import find_weights, weights_digest
from bioseq.prediction.tasks import EncoderReference, Predictor, save_predictor
from bioseq.prediction.tasks.encoders import load_referenced
from bioseq.prediction.tasks.folder import ENCODER_FOLDER, read_predictor


def save_encoder(predictor: Predictor, folder: Path) -> EncoderReference:
    """Writes the encoder that a predictor has of its own, and gives the reference to it."""
    model = load_referenced(predictor.encoder, predictor.task)
    save_model(
        folder,
        encoder=model.encoder,
        tokenizer=model.tokenizer,
        head=None,
        objective=None,
        dtype=torch.float16,
    )
    digest = weights_digest(find_weights(folder))
    return replace(predictor.encoder, model=ENCODER_FOLDER, weights_sha256=digest)


def main() -> None:
    """Publishes a run."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    predictor = read_predictor(arguments.run / "predictor")
    if Path(predictor.encoder.model).is_dir():
        predictor.encoder = save_encoder(predictor, arguments.folder / ENCODER_FOLDER)
    save_predictor(arguments.folder, predictor, dtype=torch.float16)
    print(f"{predictor.task}: {sum(p.numel() for p in predictor.heads.parameters()):,} parameters")
    for target in predictor.targets:
        print(f"  {target.name}: {', '.join(target.classes)}; temperature {target.temperature:.3f}")


if __name__ == "__main__":
    main()
