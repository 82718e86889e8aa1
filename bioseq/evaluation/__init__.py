"""How good predictions are: standard figures with intervals, beside trivial baselines."""

from bioseq.evaluation.bootstrap import Interval, estimate
from bioseq.evaluation.metrics import metrics_of
from bioseq.evaluation.run import Row, evaluate
from bioseq.evaluation.settings import Trial, load_trials

__all__ = ["Interval", "Row", "Trial", "estimate", "evaluate", "load_trials", "metrics_of"]
