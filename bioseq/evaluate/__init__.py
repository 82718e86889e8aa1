"""How good predictions are: standard figures with intervals, beside trivial baselines."""

from bioseq.evaluate.bootstrap import Estimate, estimate
from bioseq.evaluate.metrics import metrics_of
from bioseq.evaluate.run import Row, evaluate
from bioseq.evaluate.settings import Trial, load_trials

__all__ = ["Estimate", "Row", "Trial", "estimate", "evaluate", "load_trials", "metrics_of"]
