"""Coevolution of columns, against its definitions written out."""

from __future__ import annotations

import numpy as np
import pytest

from bioseq.msa.coevolution import (
    correct_background,
    coupling_factor,
    coupling_norms,
    mutual_information,
)
from bioseq.msa.profile import NUM_STATES, frequencies, sequence_weights

FREE = NUM_STATES - 1


def random_states(depth: int, length: int) -> np.ndarray:
    """Gives rows in which columns 0 and 3 always agree."""
    rng = np.random.default_rng(depth * 100 + length)
    states = rng.integers(0, 5, (depth, length)).astype(np.uint8)
    states[rng.random(states.shape) < 0.1] = FREE
    states[:, 3] = states[:, 0]
    return states


def pair_frequencies(states: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Gives the weighted share of each pair of states: [L, q, L, q]."""
    cells = np.eye(NUM_STATES)[states]
    return np.einsum("m,mia,mjb->iajb", weights / weights.sum(), cells, cells)


def mixed(states: np.ndarray, weights: np.ndarray, pseudocount: float) -> tuple[np.ndarray, ...]:
    q, length = NUM_STATES, states.shape[1]
    single = (1 - pseudocount) * frequencies(states, weights) + pseudocount / q
    pair = (1 - pseudocount) * pair_frequencies(states, weights) + pseudocount / q**2
    for column in range(length):
        pair[column, :, column] = np.diag(single[column])
    return single, pair


def dense_norms(states: np.ndarray, weights: np.ndarray, pseudocount: float) -> np.ndarray:
    """Mean-field couplings by the inverse of the whole covariance matrix."""
    length = states.shape[1]
    single, pair = mixed(states, weights, pseudocount)
    covariance = pair - np.einsum("ia,jb->iajb", single, single)
    flat = covariance[:, :FREE, :, :FREE].reshape(length * FREE, -1)
    couplings = np.zeros((length, NUM_STATES, length, NUM_STATES))
    couplings[:, :FREE, :, :FREE] = -np.linalg.inv(flat).reshape(length, FREE, length, FREE)
    couplings -= couplings.mean(axis=1, keepdims=True)
    couplings -= couplings.mean(axis=3, keepdims=True)
    return np.sqrt((couplings**2).sum(axis=(1, 3)))


@pytest.mark.parametrize(("depth", "length"), [(1, 4), (7, 6), (90, 4)])
@pytest.mark.parametrize("pseudocount", [0.3, 0.5])
def test_low_rank_couplings_are_those_of_the_inverse_covariance(
    depth: int, length: int, pseudocount: float
) -> None:
    states = random_states(depth, length)
    weights = sequence_weights(states)
    norms = coupling_norms(coupling_factor(states, weights, pseudocount=pseudocount))
    off = ~np.eye(length, dtype=bool)
    expected = dense_norms(states, weights, pseudocount)
    np.testing.assert_allclose(norms[off], expected[off], rtol=1e-4, atol=1e-5)


def test_columns_that_agree_have_the_strongest_coupling_and_information() -> None:
    states = random_states(200, 8)
    weights = sequence_weights(states)
    norms = coupling_norms(coupling_factor(states, weights))
    for scores in (norms, mutual_information(states, weights)):
        corrected = correct_background(scores)
        assert np.unravel_index(corrected.argmax(), corrected.shape) in [(0, 3), (3, 0)]


@pytest.mark.parametrize("pseudocount", [0.1, 0.5])
def test_mutual_information_is_its_definition(pseudocount: float) -> None:
    states = random_states(30, 5)
    weights = sequence_weights(states)
    single, pair = mixed(states, weights, pseudocount)
    expected = np.einsum(
        "iajb,iajb->ij", pair, np.log(pair.clip(1e-30) / np.einsum("ia,jb->iajb", single, single))
    )
    found = mutual_information(states, weights, pseudocount=pseudocount)
    off = ~np.eye(5, dtype=bool)
    np.testing.assert_allclose(found[off], expected[off], rtol=1e-4, atol=1e-6)


def test_columns_without_any_relation_have_no_information() -> None:
    states = np.stack(np.meshgrid(np.arange(4), np.arange(5)), axis=-1).reshape(-1, 2)
    found = mutual_information(states.astype(np.uint8), np.ones(20), pseudocount=1e-6)
    assert abs(found[0, 1]) < 1e-4


def test_weights_count_the_rows_that_are_alike() -> None:
    states = np.zeros((4, 10), np.uint8)
    states[2, :3] = 1  # 70 % like the first two
    states[3, :2] = 2  # 80 %, which counts as alike
    np.testing.assert_allclose(sequence_weights(states), [1 / 3, 1 / 3, 1, 1 / 3])


def test_background_correction_leaves_nothing_of_equal_scores() -> None:
    np.testing.assert_allclose(correct_background(np.full((6, 6), 3.0)), 0, atol=1e-12)


def test_background_correction_takes_more_from_busy_columns() -> None:
    busy = np.array([3.0, 1.0, 1.0, 1.0, 1.0, 1.0])
    scores = np.outer(busy, busy)
    scores[1, 2] = scores[2, 1] = 2.0
    corrected = correct_background(scores)
    np.testing.assert_array_equal(np.diag(corrected), 0)
    assert scores[0, 1] > scores[1, 2]
    assert corrected[0, 1] < corrected[1, 2]


@pytest.mark.parametrize("length", [1, 2])
def test_the_shortest_alignments_have_finite_scores(length: int) -> None:
    states = np.zeros((1, length), np.uint8)
    weights = sequence_weights(states)
    for scores in (
        coupling_norms(coupling_factor(states, weights)),
        mutual_information(states, weights),
    ):
        assert np.isfinite(correct_background(scores)).all()
