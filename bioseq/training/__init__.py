"""Pre-training of encoders, and splits that keep similar sequences together."""

from bioseq.training.clusters import cluster_sequences
from bioseq.training.run import TrainingResult, pretrain
from bioseq.training.settings import (
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
