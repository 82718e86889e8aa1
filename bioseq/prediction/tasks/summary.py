"""What a run found, in a few lines."""

from __future__ import annotations

from collections import Counter

import numpy as np

from bioseq.prediction.tasks.exports import choose_classes
from bioseq.prediction.tasks.meaning import (
    classes_of,
    is_typicality,
    kind_of,
    segmentation_of,
)
from bioseq.prediction.tasks.pairs import pair_values
from bioseq.prediction.tasks.segments import decode
from bioseq.prediction.tasks.typicality import RARE
from bioseq.store import Embedding, Store

_MOST_CLASSES = 6


def summarise(store: Store) -> dict[str, str]:
    """Describes each target of a store in one line: shares of residues, or counts of sequences."""
    lines = {}
    for name, view in store.predictions.items():
        if len(view.records):
            lines[name] = describe_target(view)
    return lines


def describe_target(view: Embedding) -> str:
    """Describes one target that has values."""
    classes, kind = classes_of(view), kind_of(view)
    if is_typicality(view):
        rare = int((np.asarray(view.to_numpy())[:, 0] < RARE).sum())
        return f"{rare:,} of {len(view.records):,} records are unlike the training sequences"
    if view.is_per_pair:
        return _describe_pairs(view, classes[0], is_value=kind == "value")
    if view.is_per_residue:
        return _describe_numbers(view) if kind == "value" else _describe_classes(view)
    values = np.asarray(view.to_numpy())
    if kind == "value":
        span = f"{values.min():.3g} to {values.max():.3g}"
        return f"{classes[0]} {values.mean():.3g} on average ({span})"
    counts = Counter(choose_classes(row, classes, kind) for row in values)
    common = ", ".join(f"{count:,} {label}" for label, count in counts.most_common(_MOST_CLASSES))
    return common + (", ..." if len(counts) > _MOST_CLASSES else "")


def _describe_numbers(view: Embedding) -> str:
    total, rows = 0.0, 0
    for _, values in view:
        total += float(values[:, 0].sum())
        rows += len(values)
    return f"{classes_of(view)[0]} {total / rows:.3g} on average"


def _describe_classes(view: Embedding) -> str:
    segmentation = segmentation_of(view)
    counts = np.zeros(len(segmentation.classes))
    for _, values in view:
        found = decode(values, segmentation.grammar)
        counts += np.bincount(found, minlength=len(counts))
    shares = zip(segmentation.classes, counts / counts.sum(), strict=True)
    return ", ".join(f"{share:.0%} {label}" for label, share in shares) + " of the residues"


def _describe_pairs(view: Embedding, name: str, *, is_value: bool) -> str:
    total, pairs, residues = 0.0, 0, 0
    for _, square in view:
        values = pair_values(square)
        total += float(values.sum())
        pairs += len(values)
        residues += len(square)
    if is_value:
        return f"{name} {total / max(1, pairs):.3g} on average"
    return f"{total / residues:.3g} pairs per residue expected to be {name}"
