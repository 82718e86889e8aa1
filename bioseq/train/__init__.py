"""Pre-training of encoders, and splits that keep similar sequences together."""

from bioseq.train.clusters import cluster_sequences
from bioseq.train.run import TrainingResult, pretrain
from bioseq.train.settings import (
    DataSettings,
    ObjectiveSettings,
    OptimizerSettings,
    RunSettings,
    TrainingSettings,
    load_settings,
)

__all__ = [
    "DataSettings",
    "ObjectiveSettings",
    "OptimizerSettings",
    "RunSettings",
    "TrainingResult",
    "TrainingSettings",
    "cluster_sequences",
    "load_settings",
    "pretrain",
]
