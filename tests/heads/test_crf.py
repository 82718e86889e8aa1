"""The random field against the enumeration of all sequences of labels."""

from __future__ import annotations

import itertools

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from bioseq.batch import layout_of
from bioseq.errors import OptionError
from bioseq.heads import HeadConfig, build_head
from bioseq.heads.crf import ConditionalRandomField
from bioseq.labels.grammar import Grammar
from bioseq.typing import Level


def _field(
    shortest: tuple[int, ...], seed: int, *forbidden: tuple[int, int]
) -> ConditionalRandomField:
    field = ConditionalRandomField(Grammar(shortest=shortest, forbidden=forbidden))
    generator = torch.Generator().manual_seed(seed)
    for weight in field.parameters():
        weight.data = torch.randn(weight.shape, generator=generator)
    return field


def _score(field: ConditionalRandomField, labels: tuple[int, ...], logits: Tensor) -> float | None:
    """Adds up the scores of one sequence of labels; None where it is not allowed."""
    runs = [(label, len(list(run))) for label, run in itertools.groupby(labels)]
    grammar = field.grammar
    if any(length < grammar.shortest[label] for label, length in runs):
        return None
    changes = list(itertools.pairwise(label for label, _ in runs))
    if any(pair in grammar.forbidden for pair in changes):
        return None
    score = logits[range(len(labels)), list(labels)].sum()
    score = score + field.first[labels[0]] + field.last[labels[-1]]
    for change in changes:
        score = score + field.transitions[change]
    for label, length in runs:
        score = score + field.transitions[label, label] * (length - grammar.shortest[label])
    return float(score)


def _enumerate(field: ConditionalRandomField, logits: Tensor) -> Tensor:
    total = torch.zeros(logits.shape, dtype=torch.float64)
    for labels in itertools.product(range(logits.shape[1]), repeat=len(logits)):
        score = _score(field, labels, logits)
        if score is not None:
            total[range(len(labels)), list(labels)] += torch.tensor(
                score, dtype=torch.float64
            ).exp()
    return total / total.sum(dim=1, keepdim=True)


@given(
    lengths=st.lists(st.integers(1, 6), min_size=1, max_size=4),
    shortest=st.permutations([1, 2, 3]),
    forbidden=st.sets(st.sampled_from([(0, 1), (1, 2), (2, 0)])),
    seed=st.integers(0, 1000),
)
@torch.no_grad()
def test_probabilities_are_those_of_the_enumeration(
    lengths: list[int], shortest: list[int], forbidden: set[tuple[int, int]], seed: int
) -> None:
    field = _field(tuple(shortest), seed, *forbidden)
    logits = 2 * torch.randn(sum(lengths), 3, generator=torch.Generator().manual_seed(seed))
    found = field(logits, layout_of(lengths)).exp()
    for part, alone in zip(found.split(lengths), logits.split(lengths), strict=True):
        torch.testing.assert_close(part.double(), _enumerate(field, alone), atol=1e-5, rtol=1e-4)


@torch.no_grad()
def test_packing_changes_no_probability() -> None:
    field, lengths = _field((1, 12, 5), 0), [40, 1, 300, 7, 300, 41]
    logits = 3 * torch.randn(sum(lengths), 3, generator=torch.Generator().manual_seed(1))
    packed = field(logits, layout_of(lengths)).split(lengths)
    for together, alone in zip(packed, logits.split(lengths), strict=True):
        found = field(alone, layout_of([len(alone)]))
        torch.testing.assert_close(together.exp(), found.exp(), atol=1e-6, rtol=1e-5)


def test_gradients_are_those_of_differences() -> None:
    field = _field((1, 2), 3).double()
    lengths = [3, 1, 5]
    logits = torch.randn(9, 2, dtype=torch.float64, requires_grad=True)
    weights = tuple(weight for weight in field.parameters())

    def run(logits: Tensor, *_: Tensor) -> Tensor:
        return field(logits, layout_of(lengths)).exp()

    assert torch.autograd.gradcheck(run, (logits, *weights))


@torch.no_grad()
def test_untrained_it_is_a_softmax_and_long_extreme_inputs_stay_finite() -> None:
    field = ConditionalRandomField(Grammar(shortest=(1, 1, 1)))
    logits = torch.randn(50, 3) * torch.tensor([1.0, 10.0, 100.0])
    found = field(logits, layout_of([20, 30]))
    torch.testing.assert_close(found, logits.log_softmax(dim=1), atol=1e-4, rtol=1e-4)
    far = _field((1, 12, 5), 0)(100 * torch.randn(3000, 3), layout_of([3000]))
    assert far.isfinite().all()
    torch.testing.assert_close(far.exp().sum(dim=1), torch.ones(3000))


def test_a_head_with_a_field_learns_what_a_window_cannot_see() -> None:
    """The class of a whole stretch is told in its middle alone."""
    config = HeadConfig(
        kind="linear", outputs={"residue": 2}, input_dim=3, dropout=0.0, shortest=(1, 1)
    )
    torch.manual_seed(0)
    head = build_head(config)
    assert head.reach is None
    labels = torch.randint(2, (40,)).repeat_interleave(9)
    states = torch.zeros(360, 3)
    states[4::9, 0], states[4::9, 1] = 1 - labels[4::9].float(), labels[4::9].float()
    states[:, 2] = 1
    layout = layout_of([90] * 4)
    optimizer = torch.optim.Adam(head.parameters(), lr=0.1)
    for _ in range(100):
        optimizer.zero_grad()
        outputs = head(states, layout)["residue"]
        torch.nn.functional.cross_entropy(outputs, labels).backward()
        optimizer.step()
    assert (head(states, layout)["residue"].argmax(dim=1) == labels).float().mean() > 0.95


@pytest.mark.parametrize("outputs", [{"sequence": 2}, {"residue": 3}])
def test_a_field_needs_a_length_for_each_class_of_residues(outputs: dict[Level, int]) -> None:
    with pytest.raises(OptionError, match=r"shortest is .*; allowed: . numbers, one for each"):
        HeadConfig(kind="linear", outputs=outputs, input_dim=3, shortest=(1, 2))
