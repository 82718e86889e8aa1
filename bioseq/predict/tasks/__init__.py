"""Predictions by heads on encoder states: probabilities for residues and sequences."""

from bioseq.predict.tasks.alignments import predict_alignments
from bioseq.predict.tasks.folder import bundled_predictors, load_predictor, save_predictor
from bioseq.predict.tasks.options import TaskOptions
from bioseq.predict.tasks.predictor import EncoderReference, Predictor
from bioseq.predict.tasks.run import predict_files
from bioseq.predict.tasks.target import Target

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
