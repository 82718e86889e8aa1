"""The held-out loss: what a run is watched by and judged on."""

from __future__ import annotations

import numpy as np
import torch

from bioseq.batch import PackedBatch, pack, plan_batches
from bioseq.tokenizer import Tokenizer
from bioseq.training.corpus import Corpus
from bioseq.training.objective import LanguageModel, Prediction
from bioseq.training.settings import TrainingSettings

_MASK_SEED = 7


def held_out_batches(
    corpus: Corpus, tokenizer: Tokenizer, settings: TrainingSettings, *, limit: int | None = None
) -> list[PackedBatch]:
    """Packs the first sequences of a corpus, cut behind the longest stretch that a step reads."""
    count = len(corpus) if limit is None else min(limit, len(corpus))
    texts = [corpus.sequence(i, stop=settings.data.crop) for i in range(count)]
    lengths = np.diff(tokenizer.encode(texts).offsets)
    return [
        pack(tokenizer.encode([texts[i] for i in batch]))
        for batch in plan_batches(lengths, settings.optimizer.tokens_per_batch)
    ]


def predict_held_out(model: LanguageModel, batch: PackedBatch, index: int) -> Prediction:
    """Predicts a held-out batch; its masks depend on its place among the batches alone."""
    return model.predict(batch, torch.Generator().manual_seed(_MASK_SEED + index))


def held_out_loss(model: LanguageModel, batches: list[PackedBatch]) -> float:
    """Returns the mean loss per predicted token in nats."""
    total, count = 0.0, 0
    training = model.training
    model.eval()
    with torch.inference_mode():
        for index, batch in enumerate(batches):
            prediction = predict_held_out(model, batch, index)
            total += float(prediction.loss) * len(prediction.targets)
            count += len(prediction.targets)
    model.train(training)
    return total / count
