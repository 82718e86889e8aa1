"""Clusters: what is found, what is kept apart, and what may not matter."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from bioseq.alphabet import DNA
from bioseq.training import cluster_sequences
from bioseq.training.leakage import find_leaks
from bioseq.typing import Molecule

Draw = Callable[..., str]


def _found(sequences: list[str], copies: list[str], molecule: Molecule) -> float:
    """Share of the copies that lie in the cluster of their original."""
    labels = cluster_sequences([*sequences, *copies], molecule)
    return float((labels[: len(sequences)] == labels[len(sequences) :]).mean())


@pytest.mark.parametrize(
    ("molecule", "identity", "least"),
    [
        ("protein", 0.9, 1.0),
        ("protein", 0.7, 1.0),
        ("protein", 0.5, 0.98),
        ("protein", 0.4, 0.8),
        ("protein", 0.3, 0.2),
        ("dna", 0.8, 1.0),
        ("dna", 0.7, 0.95),
        ("rna", 0.8, 0.98),
    ],
)
def test_mutated_copies_join_their_originals(
    draw_sequence: Draw, mutate: Draw, molecule: Molecule, identity: float, least: float
) -> None:
    originals = [draw_sequence(300, molecule) for _ in range(100)]
    copies = [mutate(original, identity, molecule) for original in originals]
    assert _found(originals, copies, molecule) >= least


@pytest.mark.parametrize("molecule", ["protein", "dna"])
def test_unrelated_sequences_stay_apart(draw_sequence: Draw, molecule: Molecule) -> None:
    sequences = [draw_sequence(300, molecule) for _ in range(1000)]
    assert len(set(cluster_sequences(sequences, molecule))) == 1000


def test_a_shared_domain_joins_and_insertions_do_not_hide_it(
    draw_sequence: Draw, mutate: Draw
) -> None:
    domain = draw_sequence(120)
    first = draw_sequence(200) + domain + draw_sequence(50)
    second = mutate(domain, 0.6)
    second = second[:60] + draw_sequence(7) + second[60:] + draw_sequence(300)
    others = [draw_sequence(300) for _ in range(20)]
    labels = cluster_sequences([*others, first, second])
    assert labels[-1] == labels[-2]
    assert len(set(labels)) == 21


def test_dna_is_compared_on_both_strands_and_rna_is_not(draw_sequence: Draw) -> None:
    sequence = draw_sequence(200, "dna")
    other = DNA.reverse_complement(sequence)
    assert cluster_sequences([sequence, other], "dna").tolist() == [0, 0]
    as_rna = [text.replace("T", "U") for text in (sequence, other)]
    assert cluster_sequences(as_rna, "rna").tolist() == [0, 1]


def test_shared_runs_of_few_residues_are_no_similarity(draw_sequence: Draw) -> None:
    sequences = [draw_sequence(100) + "Q" * 60 + draw_sequence(100) for _ in range(5)]
    assert len(set(cluster_sequences(sequences))) == 5


def test_relatives_of_relatives_share_a_cluster(draw_sequence: Draw, mutate: Draw) -> None:
    chain = [draw_sequence(300)]
    for _ in range(8):
        chain.append(mutate(chain[-1], 0.7))
    assert len(set(cluster_sequences(chain))) == 1


def test_order_and_case_change_the_numbers_only(
    draw_sequence: Draw, mutate: Draw, rng: np.random.Generator
) -> None:
    families = [draw_sequence(200) for _ in range(30)]
    sequences = [mutate(family, 0.7) for family in families for _ in range(3)]
    labels = cluster_sequences(sequences)
    assert np.array_equal(labels, cluster_sequences(sequences))
    order = rng.permutation(len(sequences))
    shuffled = cluster_sequences([sequences[i].lower() for i in order])
    same, same_shuffled = labels[order][:, None] == labels[order], shuffled[:, None] == shuffled
    assert np.array_equal(same, same_shuffled)
    _, first = np.unique(labels, return_index=True)
    assert (np.diff(first) > 0).all(), "numbered by first appearance"


@pytest.mark.parametrize(
    ("sequences", "labels"),
    [
        ([], []),
        (["A"], [0]),
        (["MK", "mk", "W", "", "MK"], [0, 0, 1, 2, 0]),
        (["X" * 100, "-" * 100, "X" * 100], [0, 1, 0]),
    ],
)
def test_short_empty_and_equal_sequences(sequences: list[str], labels: list[int]) -> None:
    assert cluster_sequences(sequences).tolist() == labels


def test_memory_is_bounded_by_taking_the_seeds_in_parts(
    draw_sequence: Draw, mutate: Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    sequences = [draw_sequence(200) for _ in range(40)]
    sequences += [mutate(sequence, 0.6) for sequence in sequences]
    whole = cluster_sequences(sequences)
    monkeypatch.setattr("bioseq.training.seeds._SEEDS_IN_MEMORY", 3000)
    monkeypatch.setattr("bioseq.training.seeds._PLACES_AT_A_TIME", 1000)
    assert np.array_equal(cluster_sequences(sequences), whole)


def test_leaks_are_held_out_relatives_of_training_sequences(
    draw_sequence: Draw, mutate: Draw
) -> None:
    train = [draw_sequence(250) for _ in range(30)]
    held_out = [
        mutate(train[3], 0.5),
        draw_sequence(250),
        train[7].lower(),
        draw_sequence(250),
    ]
    held_out.append(mutate(held_out[1], 0.8))
    sequences = [*held_out[:2], *train, *held_out[2:], "MKV", "MKV"]
    is_held_out = np.array([True] * 2 + [False] * 30 + [True] * 3 + [True, False])
    leaks = find_leaks(sequences, is_held_out, "protein")
    assert np.flatnonzero(leaks).tolist() == [0, 32, 35]
