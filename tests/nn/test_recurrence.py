"""A recurrent layer over packed segments, whole and in chunks."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from bioseq.batch import layout_of
from bioseq.nn.recurrence import Cell, Recurrence


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize("backward", [False, True])
@torch.no_grad()
def test_packed_segments_run_as_pytorch_runs_each(cell: Cell, backward: bool) -> None:
    torch.manual_seed(0)
    layer = Recurrence(cell, 5, 4, backward=backward)
    theirs = layer.cell
    assert isinstance(theirs, (nn.RNN, nn.LSTM, nn.GRU))
    layout = layout_of([30, 1, 12, 30, 13, 2])
    x = torch.randn(layout.num_tokens, 5)
    expected = []
    for segment in layout.split(x):
        states, _ = theirs(segment.flip(0) if backward else segment)
        expected.append(states.flip(0) if backward else states)
    torch.testing.assert_close(layer(x, layout), torch.cat(expected))


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru", "mlstm"])
@torch.no_grad()
def test_a_backward_layer_goes_on_with_the_chunk_in_front(cell: Cell) -> None:
    torch.manual_seed(0)
    layer = Recurrence(cell, 5, 4, backward=True)
    x = torch.randn(10, 5)
    behind, state = layer.advance(x[6:], None)
    before, _ = layer.advance(x[:6], state)
    torch.testing.assert_close(torch.cat([before, behind]), layer(x, layout_of([10])))
