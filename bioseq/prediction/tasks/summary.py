"""What a run found, in a few lines."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from bioseq.prediction.tasks.exports import choose_classes
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
    classes: Any = view.attrs["classes"]
    kind = view.attrs.get("kind")
    if view.name.endswith("-typicality"):
        rare = int((np.asarray(view.to_numpy())[:, 0] < RARE).sum())
        return f"{rare:,} of {len(view.records):,} records are unlike the training sequences"
    if view.is_per_pair:
        return _describe_pairs(view, classes[0], is_value=kind == "value")
    if view.is_per_residue:
        return _describe_residues(view, classes, is_value=kind == "value")
    values = np.asarray(view.to_numpy())
    if kind == "value":
        span = f"{values.min():.3g} to {values.max():.3g}"
        return f"{classes[0]} {values.mean():.3g} on average ({span})"
    counts = Counter(choose_classes(row, classes, str(kind)) for row in values)
    common = ", ".join(f"{count:,} {label}" for label, count in counts.most_common(_MOST_CLASSES))
    return common + (", ..." if len(counts) > _MOST_CLASSES else "")


def _describe_residues(view: Embedding, classes: list[str], *, is_value: bool) -> str:
    total, counts, rows = 0.0, np.zeros(len(classes)), 0
    for _, values in view:
        total += float(values[:, 0].sum())
        counts += np.bincount(decode(values, view.name), minlength=len(classes))
        rows += len(values)
    if is_value:
        return f"{classes[0]} {total / rows:.3g} on average"
    return (
        ", ".join(
            f"{count / rows:.0%} {label}" for label, count in zip(classes, counts, strict=True)
        )
        + " of the residues"
    )


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
