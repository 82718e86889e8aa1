"""How likely a language model finds sequences, and each of their tokens."""

from bioseq.prediction.likelihood.options import LikelihoodOptions, Strategy
from bioseq.prediction.likelihood.run import predict_likelihood

__all__ = ["LikelihoodOptions", "Strategy", "predict_likelihood"]
