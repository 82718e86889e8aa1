"""Recurrent encoders against PyTorch's own stacks on a single sequence."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from bioseq.batch import PackedBatch
from bioseq.errors import OptionError
from bioseq.models import Encoder, RecurrentEncoder

Pack = Callable[[Sequence[Tensor]], PackedBatch]
Draw = Callable[[Sequence[int], int], list[Tensor]]
Build = Callable[[dict[str, Any]], Encoder]

CONFIG = {
    "architecture": "recurrent",
    "vocabulary_size": 12,
    "embedding_dim": 6,
    "hidden_dim": 8,
    "num_layers": 3,
}
CELLS = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}


def _torch_stack(ours: RecurrentEncoder, stacks: list[nn.ModuleList]) -> nn.Module:
    """PyTorch's multi-layer module with the weights of ours."""
    theirs = CELLS[ours.config.cell](
        ours.config.embedding_dim,
        ours.config.hidden_dim,
        num_layers=ours.num_layers,
        bidirectional=len(stacks) == 2,
    )
    state = {}
    for stack, suffix in zip(stacks, ("", "_reverse"), strict=False):
        for number, layer in enumerate(stack):
            for key, tensor in layer.state_dict().items():
                name = key.removeprefix("cell.").replace("_l0", f"_l{number}{suffix}")
                state[name] = tensor
    theirs.load_state_dict(state)
    return theirs


@pytest.mark.parametrize("cell", CELLS)
@torch.no_grad()
def test_a_bidirectional_stack_is_pytorchs(
    build: Build, pack_tokens: Pack, draw_tokens: Draw, cell: str
) -> None:
    ours = build({**CONFIG, "cell": cell, "direction": "bidirectional"})
    assert isinstance(ours, RecurrentEncoder)
    theirs = _torch_stack(ours, [ours.forward_layers, ours.backward_layers])
    for tokens in draw_tokens([1, 2, 33], 0):
        expected, _ = theirs(ours.embedding(tokens))
        torch.testing.assert_close(ours(pack_tokens([tokens])).states[0], expected)


@pytest.mark.parametrize("cell", CELLS)
@torch.no_grad()
def test_independent_directions_are_two_stacks_of_pytorchs(
    build: Build, pack_tokens: Pack, draw_tokens: Draw, cell: str
) -> None:
    ours = build({**CONFIG, "cell": cell, "direction": "independent"})
    assert isinstance(ours, RecurrentEncoder)
    forward = _torch_stack(ours, [ours.forward_layers])
    backward = _torch_stack(ours, [ours.backward_layers])
    for tokens in draw_tokens([1, 2, 33], 0):
        x = ours.embedding(tokens)
        expected = torch.cat([forward(x)[0], backward(x.flip(0))[0].flip(0)], dim=-1)
        torch.testing.assert_close(ours(pack_tokens([tokens])).states[0], expected)


@torch.no_grad()
def test_independent_directions_see_one_side_each(
    build: Build, pack_tokens: Pack, draw_tokens: Draw
) -> None:
    encoder = build({**CONFIG, "cell": "gru", "direction": "independent"})
    [tokens] = draw_tokens([20], 0)
    changed = tokens.clone()
    changed[10] = 15 - tokens[10]
    before, behind = encoder(pack_tokens([tokens])).states[0].chunk(2, dim=-1)
    before_now, behind_now = encoder(pack_tokens([changed])).states[0].chunk(2, dim=-1)
    assert torch.equal(before[:10], before_now[:10])
    assert torch.equal(behind[11:], behind_now[11:])
    assert not torch.equal(before[10:], before_now[10:])
    assert not torch.equal(behind[:11], behind_now[:11])


@pytest.mark.parametrize(("field", "value"), [("num_layers", 0), ("kernel", 2)])
def test_impossible_shapes_are_refused(build: Build, field: str, value: int) -> None:
    config = {**CONFIG, "cell": "lstm", "direction": "forward", field: value}
    with pytest.raises(OptionError, match=f"{field} is {value}"):
        build(config)
