"""The standard figures of each kind of target, from labels and predictions as arrays.

Rows are residues or sequences; labels are class numbers, 0/1 for each of several labels, or values.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from jaxtyping import Float, Int64

Truth = Float[np.ndarray, "rows columns"]
Prediction = Float[np.ndarray, "rows classes"]
Metric = Callable[[Truth, Prediction], float]


def confusion(truth: Truth, predicted: Prediction) -> Int64[np.ndarray, "classes classes"]:
    """Counts rows by class (first axis) and most probable class (second axis)."""
    count = predicted.shape[1]
    pairs = truth[:, 0].astype(np.int64) * count + predicted.argmax(axis=1)
    return np.bincount(pairs, minlength=count**2).reshape(count, count)


def accuracy(truth: Truth, predicted: Prediction) -> float:
    """Returns the share of rows whose most probable class is right (Q3, Q8, Q10)."""
    return float((predicted.argmax(axis=1) == truth[:, 0]).mean())


def gorodkin(truth: Truth, predicted: Prediction) -> float:
    """Returns the correlation of classes; for two classes Matthews' coefficient.

    Source: Gorodkin 2004, equation 8; Matthews 1975.
    """
    counts = confusion(truth, predicted).astype(float)
    real, found, right, total = counts.sum(1), counts.sum(0), np.trace(counts), counts.sum()
    spread = np.sqrt((total**2 - (real**2).sum()) * (total**2 - (found**2).sum()))
    return float((right * total - real @ found) / spread) if spread else 0.0


def f1_of_classes(truth: Truth, predicted: Prediction) -> Float[np.ndarray, " classes"]:
    """Returns each class's F1; 0 for a class that neither occurs nor is found."""
    counts = confusion(truth, predicted)
    sizes = counts.sum(1) + counts.sum(0)
    return 2 * np.diag(counts) / np.maximum(sizes, 1)


def macro_f1(truth: Truth, predicted: Prediction) -> float:
    """Returns the mean F1 of the classes."""
    return float(f1_of_classes(truth, predicted).mean())


def auc(truth: Truth, predicted: Prediction) -> float:
    """Returns the area under the ROC curve of the last of two classes; ties count half.

    Source: Hanley & McNeil 1982.
    """
    positive = truth[:, 0] == predicted.shape[1] - 1
    count = int(positive.sum())
    if count in (0, len(positive)):
        return float("nan")
    total = _ranks(predicted[:, -1])[positive].sum()
    return float((total - count * (count - 1) / 2) / (count * (len(positive) - count)))


def spearman(truth: Truth, predicted: Prediction) -> float:
    """Returns the correlation of ranks."""
    return _correlate(_ranks(truth[:, 0]), _ranks(predicted[:, 0]))


def r_squared(truth: Truth, predicted: Prediction) -> float:
    """Returns the share of the labels' variance that predictions explain."""
    rest = ((truth[:, 0] - predicted[:, 0]) ** 2).sum()
    total = ((truth[:, 0] - truth[:, 0].mean()) ** 2).sum()
    return float(1 - rest / total) if total else float("nan")


def calibration_error(truth: Truth, predicted: Prediction) -> float:
    """Returns the expected calibration error of the most probable class, over 15 bins.

    Source: Guo et al. 2017, section 2.
    """
    return float(
        sum(b.weight * abs(b.accuracy - b.confidence) for b in reliability(truth, predicted))
    )


class Bin:
    """Rows whose most probable class is about equally probable.

    Attributes:
        weight: Share of all rows.
        confidence: Mean probability.
        accuracy: Share of right rows.
    """

    def __init__(self, weight: float, confidence: float, accuracy: float) -> None:
        self.weight = weight
        self.confidence = confidence
        self.accuracy = accuracy


def reliability(truth: Truth, predicted: Prediction, *, bins: int = 15) -> list[Bin]:
    """Returns the reliability curve: the bins of equal width that hold any row."""
    confidence = predicted.max(axis=1)
    right = predicted.argmax(axis=1) == truth[:, 0]
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    found = [place == k for k in range(bins)]
    return [
        Bin(float(rows.mean()), float(confidence[rows].mean()), float(right[rows].mean()))
        for rows in found
        if rows.any()
    ]


def metrics_of(kind: str, num_classes: int) -> Mapping[str, Metric]:
    """Returns the figures that are usual for a kind of target, by name; the first one leads."""
    if kind == "value":
        return {"Spearman": spearman, "R2": r_squared}
    if num_classes == 2:
        return {"AUC": auc, "MCC": gorodkin, "accuracy": accuracy, "ECE": calibration_error}
    return {
        "accuracy": accuracy,
        "MCC": gorodkin,
        "macro F1": macro_f1,
        "ECE": calibration_error,
    }


def _ranks(values: Float[np.ndarray, " rows"]) -> Float[np.ndarray, " rows"]:
    """Ranks from 0; equal values share their mean rank."""
    _, group, count = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    return (last - (count + 1) / 2)[group]


def _correlate(a: Float[np.ndarray, " rows"], b: Float[np.ndarray, " rows"]) -> float:
    a, b = a - a.mean(), b - b.mean()
    scale = np.sqrt((a @ a) * (b @ b))
    return float(a @ b / scale) if scale else float("nan")
