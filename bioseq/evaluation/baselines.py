"""What a predictor has to beat: the majority, and linear models on the symbols themselves."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float

from bioseq.errors import MissingDependencyError
from bioseq.labels.columns import LabelColumn

WINDOW = 7
_STRENGTH = 0.1

Features = Callable[[str], Float[np.ndarray, "rows features"]]
Baseline = Callable[[Sequence[str]], list[np.ndarray]]


def fit_baselines(
    sequences: Sequence[str], labels: Sequence[np.ndarray], column: LabelColumn, symbols: str
) -> dict[str, Baseline]:
    """Fits the baselines of a kind of target.

    Args:
        sequences: For training.
        labels: Of these; NaN rows are left out.
        column: Level, kind and classes.
        symbols: The canonical letters of the molecule.

    Returns:
        For each baseline, by name, what gives the predictions of sequences.

    Raises:
        MissingDependencyError: `scikit-learn` is not installed.
    """
    known = [~np.isnan(label).any(axis=1) for label in labels]
    truth = np.concatenate([label[rows] for label, rows in zip(labels, known, strict=True)])
    typical = _mean_label(truth, column)
    per_residue = column.level == "residue"
    features = _windows(symbols) if per_residue else _compositions(symbols)
    rows = np.concatenate([features(s)[k] for s, k in zip(sequences, known, strict=True)])
    model = _fit_linear(rows, truth, column)
    name = f"one-hot window of {2 * WINDOW + 1}" if per_residue else "k-mer counts"
    method = "ridge regression" if column.kind == "value" else "logistic regression"
    return {
        "mean" if column.kind == "value" else "majority": lambda texts: [
            np.repeat(typical[None], len(text) if per_residue else 1, axis=0) for text in texts
        ],
        f"{name}, {method}": lambda texts: [model(features(text)) for text in texts],
    }


def _mean_label(truth: Float[np.ndarray, "rows columns"], column: LabelColumn) -> np.ndarray:
    if column.kind != "classes":
        return truth.mean(axis=0)
    counts = np.bincount(truth[:, 0].astype(int), minlength=len(column.classes))
    return counts / counts.sum()


def _windows(symbols: str) -> Features:
    letters = np.array(list(symbols))

    def windows(sequence: str) -> Float[np.ndarray, "rows features"]:
        one_hot = np.array(list(sequence))[:, None] == letters
        padded = np.pad(one_hot, ((WINDOW, WINDOW), (0, 0)))
        parts = [padded[i : i + len(sequence)] for i in range(2 * WINDOW + 1)]
        return np.concatenate(parts, axis=1).astype(np.float32)

    return windows


def _compositions(symbols: str) -> Features:
    """Shares of the k-mers: one and two residues, or one to four bases; and the length."""
    longest = 2 if len(symbols) > 4 else 4
    kmers = [
        "".join(letters)
        for k in range(1, longest + 1)
        for letters in itertools.product(symbols, repeat=k)
    ]
    place = {kmer: i for i, kmer in enumerate(kmers)}

    def compositions(sequence: str) -> Float[np.ndarray, "rows features"]:
        counts = np.zeros(len(kmers) + 1, np.float32)
        for k in range(1, longest + 1):
            for start in range(len(sequence) - k + 1):
                index = place.get(sequence[start : start + k])
                if index is not None:
                    counts[index] += 1 / len(sequence)
        counts[-1] = np.log(len(sequence))
        return counts[None]

    return compositions


def _fit_linear(
    rows: Float[np.ndarray, "rows features"], truth: np.ndarray, column: LabelColumn
) -> Callable[[np.ndarray], np.ndarray]:
    try:
        from sklearn.linear_model import LogisticRegression, Ridge
        from sklearn.preprocessing import StandardScaler
    except ModuleNotFoundError:
        raise MissingDependencyError("scikit-learn", extra="train") from None
    scaler: Any = StandardScaler().fit(rows)
    scaled = scaler.transform(rows)
    if column.kind == "value":
        ridge: Any = Ridge(alpha=len(rows) * _STRENGTH).fit(scaled, truth[:, 0])
        return lambda x: ridge.predict(scaler.transform(x))[:, None]
    model: Any = LogisticRegression(C=_STRENGTH, max_iter=60, tol=1e-3)
    model.fit(scaled, truth[:, 0].astype(int))
    present = model.classes_

    def probabilities(x: np.ndarray) -> np.ndarray:
        found = np.zeros((len(x), len(column.classes)))
        found[:, present] = model.predict_proba(scaler.transform(x))
        return found

    return probabilities
