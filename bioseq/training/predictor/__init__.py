"""Training of predictors: heads on the states of an encoder, from a table of labels."""

from bioseq.training.predictor.run import PredictorResult, train_predictor
from bioseq.training.predictor.settings import PredictorSettings, load_predictor_settings

__all__ = ["PredictorResult", "PredictorSettings", "load_predictor_settings", "train_predictor"]
