"""Laws of every head for labels."""

from __future__ import annotations

from typing import get_args

import pytest
import torch

from bioseq.batch import layout_of
from bioseq.errors import OptionError
from bioseq.heads import Head, HeadConfig, HeadKind, build_head
from bioseq.heads.pooling import LightAttention
from bioseq.heads.readout import RowReadout
from bioseq.typing import Level

CASES: list[tuple[HeadKind, Level]] = [
    (kind, level)
    for kind in get_args(HeadKind)
    for level in get_args(Level)
    if kind != "light-attention" or level == "sequence"
]
LENGTHS = [7, 1, 4, 7]


def _head(kind: HeadKind, level: Level) -> Head:
    torch.manual_seed(0)
    config = HeadConfig(
        kind=kind,
        outputs={level: 3},
        input_dim=6,
        dim=8,
        pair_dim=4,
        kernel=3,
        dilations=(1, 2),
    )
    return build_head(config).eval()


def _states() -> list[torch.Tensor]:
    torch.manual_seed(1)
    return [torch.randn(length, 6) for length in LENGTHS]


@pytest.mark.parametrize(("kind", "level"), CASES)
@torch.no_grad()
def test_batch_mates_do_not_change_an_output(kind: HeadKind, level: Level) -> None:
    head, states = _head(kind, level), _states()
    together = head(torch.cat(states), layout_of(LENGTHS))[level]
    alone = torch.cat([head(x, layout_of([len(x)]))[level] for x in states])
    torch.testing.assert_close(together, alone, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("kind", "level"), CASES)
@torch.no_grad()
def test_there_is_a_row_per_residue_or_sequence_or_pair(kind: HeadKind, level: Level) -> None:
    rows = _head(kind, level)(torch.cat(_states()), layout_of(LENGTHS))[level]
    pairs = sum(length * (length - 1) // 2 for length in LENGTHS)
    counts = {"residue": sum(LENGTHS), "sequence": len(LENGTHS), "pair": pairs}
    assert rows.shape == (counts[level], 3)


@pytest.mark.parametrize("kind", ["linear", "mlp", "convolution", "bilstm", "convolution-bilstm"])
@torch.no_grad()
def test_an_output_depends_on_what_the_head_reaches_and_no_more(kind: HeadKind) -> None:
    head = _head(kind, "residue")
    states = torch.randn(21, 6)
    changed = states.clone()
    changed[10] += torch.randn(6)
    layout = layout_of([21])
    before, after = (head(x, layout)["residue"] for x in (states, changed))
    touched = (before != after).any(dim=1).nonzero()[:, 0].tolist()
    reach = 10 if head.reach is None else head.reach
    assert touched == list(range(10 - reach, 11 + reach))


@torch.no_grad()
def test_light_attention_is_a_mean_with_softmax_weights_beside_the_maxima() -> None:
    head = _head("light-attention", "sequence")
    [x] = [torch.randn(5, 6)]
    layout = layout_of([5])
    assert isinstance(head.narrow, torch.nn.Linear)
    narrow = head.narrow(head.norm(x))
    readout = head.readouts["sequence"]
    assert isinstance(readout, RowReadout)
    pooling = readout.pooling
    assert isinstance(pooling, LightAttention)
    values, scores = pooling.values(narrow, layout), pooling.scores(narrow, layout)
    pooled = torch.cat([(scores.softmax(dim=0) * values).sum(dim=0), values.amax(dim=0)])
    torch.testing.assert_close(head(x, layout)["sequence"], readout.output(pooled[None]))


@torch.no_grad()
def test_a_further_level_changes_nothing_of_the_others() -> None:
    """All levels read one trunk, and each by itself."""
    config = {"kind": "bilstm", "input_dim": 6, "dim": 8}
    outputs: dict[Level, int] = {"residue": 3, "sequence": 2, "pair": 1}
    whole = build_head(HeadConfig(**config, outputs=outputs)).eval()
    states, layout = torch.cat(_states()), layout_of(LENGTHS)
    found = whole(states, layout)
    for level, width in outputs.items():
        part = build_head(HeadConfig(**config, outputs={level: width})).eval()
        part.load_state_dict({n: whole.state_dict()[n] for n in part.state_dict()})
        torch.testing.assert_close(part(states, layout)[level], found[level], rtol=0, atol=0)


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "light-attention"},
        {"kind": "light-attention", "outputs": {"sequence": 1, "pair": 1}},
        {"kernel": 4},
        {"outputs": {}},
        {"outputs": {"residue": 0}},
        {"pair_dim": 0},
        {"dropout": 1.0},
    ],
)
def test_an_impossible_head_is_refused(wrong: dict[str, object]) -> None:
    given: dict[str, object] = {
        "kind": "mlp",
        "outputs": {"residue": 2},
        "input_dim": 4,
        **wrong,
    }
    with pytest.raises(OptionError):
        HeadConfig(**given)  # pyright: ignore[reportArgumentType]
