"""Labels: what a table says of sequences, and the targets that predictors are trained on."""

from bioseq.labels.columns import (
    LabelColumn,
    Labels,
    Rows,
    label_rows,
    pair_labels,
    parse_label,
    read_labels,
)
from bioseq.labels.grammar import Grammar
from bioseq.labels.pairs import PairLabels, parse_pairs
from bioseq.labels.target import Target, TargetKind, level_widths

__all__ = [
    "Grammar",
    "LabelColumn",
    "Labels",
    "PairLabels",
    "Rows",
    "Target",
    "TargetKind",
    "label_rows",
    "level_widths",
    "pair_labels",
    "parse_label",
    "parse_pairs",
    "read_labels",
]
