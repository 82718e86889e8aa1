"""Laws of every head for labels."""

from __future__ import annotations

from typing import get_args

import pytest
import torch

from bioseq.batch import layout_of
from bioseq.errors import OptionError
from bioseq.heads import Head, HeadConfig, HeadKind, Level, build_head
from bioseq.heads.pooling import LightAttention

CASES: list[tuple[HeadKind, Level]] = [
    (kind, level)
    for kind in get_args(HeadKind)
    for level in get_args(Level)
    if (kind, level) != ("light-attention", "residue")
]
LENGTHS = [7, 1, 4, 7]


def _head(kind: HeadKind, level: Level) -> Head:
    torch.manual_seed(0)
    config = HeadConfig(
        kind=kind, level=level, input_dim=6, output_dim=3, dim=8, kernel=3, dilations=(1, 2)
    )
    return build_head(config).eval()


def _states() -> list[torch.Tensor]:
    torch.manual_seed(1)
    return [torch.randn(length, 6) for length in LENGTHS]


@pytest.mark.parametrize(("kind", "level"), CASES)
@torch.no_grad()
def test_batch_mates_do_not_change_an_output(kind: HeadKind, level: Level) -> None:
    head, states = _head(kind, level), _states()
    together = head(torch.cat(states), layout_of(LENGTHS))
    alone = torch.cat([head(x, layout_of([len(x)])) for x in states])
    torch.testing.assert_close(together, alone, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("kind", "level"), CASES)
@torch.no_grad()
def test_there_is_a_row_per_residue_or_per_sequence(kind: HeadKind, level: Level) -> None:
    rows = _head(kind, level)(torch.cat(_states()), layout_of(LENGTHS))
    assert rows.shape == (sum(LENGTHS) if level == "residue" else len(LENGTHS), 3)


@pytest.mark.parametrize("kind", ["linear", "mlp", "convolution", "bilstm", "convolution-bilstm"])
@torch.no_grad()
def test_an_output_depends_on_what_the_head_reaches_and_no_more(kind: HeadKind) -> None:
    head = _head(kind, "residue")
    states = torch.randn(21, 6)
    changed = states.clone()
    changed[10] += torch.randn(6)
    layout = layout_of([21])
    touched = (head(states, layout) != head(changed, layout)).any(dim=1).nonzero()[:, 0].tolist()
    reach = 10 if head.reach is None else head.reach
    assert touched == list(range(10 - reach, 11 + reach))


@torch.no_grad()
def test_light_attention_is_a_mean_with_softmax_weights_beside_the_maxima() -> None:
    head = _head("light-attention", "sequence")
    [x] = [torch.randn(5, 6)]
    layout = layout_of([5])
    assert isinstance(head.narrow, torch.nn.Linear)
    narrow = head.narrow(head.norm(x))
    pooling = head.pooling
    assert isinstance(pooling, LightAttention)
    values, scores = pooling.values(narrow, layout), pooling.scores(narrow, layout)
    pooled = torch.cat([(scores.softmax(dim=0) * values).sum(dim=0), values.amax(dim=0)])
    torch.testing.assert_close(head(x, layout), head.output(pooled[None]))


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "light-attention"},
        {"kernel": 4},
        {"output_dim": 0},
        {"dropout": 1.0},
    ],
)
def test_an_impossible_head_is_refused(wrong: dict[str, object]) -> None:
    given: dict[str, object] = {
        "kind": "mlp",
        "level": "residue",
        "input_dim": 4,
        "output_dim": 2,
        **wrong,
    }
    with pytest.raises(OptionError):
        HeadConfig(**given)  # pyright: ignore[reportArgumentType]
