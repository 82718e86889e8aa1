"""Figures of predictions for pairs of residues."""

from __future__ import annotations

import numpy as np
import pytest

from bioseq.evaluation.bootstrap import estimate_mean
from bioseq.evaluation.pairs import fit_separation, pair_metrics
from bioseq.labels.pairs import PairLabels


def labels(pairs: list[tuple[int, int]], length: int) -> PairLabels:
    return PairLabels(
        pairs=np.array(pairs, np.int64).reshape(-1, 2),
        values=np.ones(len(pairs), np.float32),
        rest=0.0,
        known=np.ones(length, dtype=bool),
        separation=6,
    )


def test_precision_counts_the_best_pairs_at_long_range() -> None:
    """Thirty residues have 21 pairs at 24 and more, of which the best six are judged at L / 5."""
    truth = labels([(0, 25), (1, 26), (2, 29), (0, 6)], 30).square()
    found = np.zeros((30, 30))
    for rank, (i, j) in enumerate([(0, 6), (0, 25), (0, 29), (1, 26), (3, 28), (4, 29), (0, 24)]):
        found[i, j] = found[j, i] = 1 - rank / 10
    metrics = pair_metrics("classes")
    assert metrics["P@L/5"](truth, found) == pytest.approx(2 / 6)
    assert metrics["P@L"](truth, found) == pytest.approx(3 / 21)


def test_the_area_under_the_curve_is_one_where_contacts_lead() -> None:
    truth = labels([(0, 10), (3, 9)], 12).square()
    metrics = pair_metrics("classes")
    assert metrics["AUC"](truth, np.nan_to_num(truth)) == 1.0
    assert metrics["AUC"](truth, np.zeros((12, 12))) == 0.5
    assert np.isnan(metrics["P@L"](truth, np.zeros((12, 12)))), "no pair is far enough apart"


def test_pairs_without_a_prediction_are_not_judged() -> None:
    truth, found = np.full((2, 10, 10), np.nan)
    truth[0, 7], truth[0, 8], truth[0, 9] = 1.0, 2.0, 3.0
    found[0, 7], found[0, 8] = 2.0, 1.0
    assert pair_metrics("value")["Spearman"](truth, found) == pytest.approx(-1)


def test_the_baseline_knows_separations_alone() -> None:
    training = [labels([(i, i + 6) for i in range(14)], 20), labels([], 20)]
    [square] = fit_separation(training)(["A" * 40])
    place = np.arange(40)
    steps = np.abs(place[:, None] - place)
    np.testing.assert_allclose(square[steps == 6], 0.5)
    assert (square[steps > 6] == 0).all()
    np.testing.assert_array_equal(square, square.T)


def test_the_interval_of_a_mean_leaves_out_sequences_without_the_figure() -> None:
    found = estimate_mean([0.2, np.nan, 0.4], resamples=50)
    assert found.value == pytest.approx(0.3)
    assert 0.2 <= found.low < 0.3 < found.high <= 0.4
    assert np.isnan(estimate_mean([np.nan]).value)
