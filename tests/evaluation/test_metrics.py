"""Figures against their definitions, or against scikit-learn's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics as reference

from bioseq.evaluation import metrics


def _draw(num_classes: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, num_classes, (300, 1)).astype(float)
    raw = rng.random((300, num_classes)).round(1) + 0.05
    raw[np.arange(300), truth[:, 0].astype(int)] += 0.3
    return truth, raw / raw.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("num_classes", [2, 3, 8])
@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (metrics.accuracy, reference.accuracy_score),
        (metrics.gorodkin, reference.matthews_corrcoef),
        (metrics.macro_f1, lambda t, p: reference.f1_score(t, p, average="macro")),
    ],
)
def test_class_figures_are_those_of_the_reference(
    num_classes: int, ours: metrics.Metric, theirs: Callable[..., Any]
) -> None:
    truth, found = _draw(num_classes)
    assert ours(truth, found) == pytest.approx(theirs(truth[:, 0], found.argmax(axis=1)))


def test_the_area_under_the_curve_counts_ties_half() -> None:
    truth, found = _draw(2)
    assert metrics.auc(truth, found) == pytest.approx(
        reference.roc_auc_score(truth[:, 0], found[:, 1])
    )


def test_rank_correlation_and_explained_variance_are_those_of_the_reference() -> None:
    rng = np.random.default_rng(1)
    truth = rng.random((200, 1)).round(1)
    found = truth + rng.random((200, 1)).round(1)
    assert metrics.spearman(truth, found) == pytest.approx(
        stats.spearmanr(truth[:, 0], found[:, 0])[0]  # pyright: ignore[reportArgumentType]
    )
    assert metrics.r_squared(truth, found) == pytest.approx(reference.r2_score(truth, found))


def test_probabilities_that_are_frequencies_have_a_small_calibration_error() -> None:
    rng = np.random.default_rng(2)
    positive = rng.random(200_000)
    truth = (rng.random(200_000) < positive).astype(float)[:, None]
    honest = np.stack([1 - positive, positive], axis=1)
    bold = honest**4 / (honest**4).sum(axis=1, keepdims=True)
    assert metrics.calibration_error(truth, honest) < 0.01
    assert metrics.calibration_error(truth, bold) > 0.05


def test_constant_predictions_have_no_correlation() -> None:
    truth, _ = _draw(3)
    constant = np.tile([0.2, 0.5, 0.3], (300, 1))
    assert metrics.gorodkin(truth, constant) == 0.0
