"""Predictions by heads on encoder states: probabilities for residues and sequences."""

from bioseq.labels.target import Target
from bioseq.prediction.tasks.alignments import predict_alignments
from bioseq.prediction.tasks.folder import bundled_predictors, load_predictor, save_predictor
from bioseq.prediction.tasks.options import TaskOptions
from bioseq.prediction.tasks.predictor import EncoderReference, Predictor
from bioseq.prediction.tasks.run import predict_files

__all__ = [
    "EncoderReference",
    "Predictor",
    "Target",
    "TaskOptions",
    "bundled_predictors",
    "load_predictor",
    "predict_alignments",
    "predict_files",
    "save_predictor",
]
