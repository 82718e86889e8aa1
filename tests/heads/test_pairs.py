"""Pairs of residues: which there are, and what an output depends on."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from bioseq.batch import layout_of
from bioseq.heads import PairReadout, pairs_of


def _readout(*, dropout: float = 0.0) -> PairReadout:
    torch.manual_seed(0)
    return PairReadout(6, 5, 2, dropout=dropout)


@given(length=st.integers(0, 30), at_once=st.integers(1, 200))
def test_pieces_of_any_size_hold_every_pair_once_in_order(length: int, at_once: int) -> None:
    pieces = list(pairs_of(length, at_once=at_once))
    found = torch.cat([torch.empty(2, 0, dtype=torch.int64), *pieces], dim=1)
    np.testing.assert_array_equal(found, np.stack(np.triu_indices(length, 1)))
    assert all(piece.shape[1] <= max(at_once, length - 1) for piece in pieces)


@torch.no_grad()
def test_pieces_change_no_output(monkeypatch: pytest.MonkeyPatch) -> None:
    readout, x = _readout(), torch.randn(12, 6)
    whole = readout(x, layout_of([12]))
    monkeypatch.setattr("bioseq.heads.pairs.pairs_of", lambda n, d: pairs_of(n, d, at_once=3))
    torch.testing.assert_close(readout(x, layout_of([12])), whole, rtol=1e-5, atol=1e-6)


@torch.no_grad()
def test_an_output_depends_on_its_two_residues_and_their_separation_alone() -> None:
    readout, x = _readout(), torch.randn(9, 6)
    changed = x.clone()
    changed[4] += torch.randn(6)
    layout = layout_of([9])
    touched = (readout(x, layout) != readout(changed, layout)).any(dim=1)
    first, second = np.triu_indices(9, 1)
    np.testing.assert_array_equal(touched, (first == 4) | (second == 4))
    same = readout(x[:1].expand(9, 6), layout)
    for separation in (1, 2, 3):
        rows = same[torch.from_numpy(second - first == separation)]
        torch.testing.assert_close(rows, rows[:1].expand_as(rows))
    assert not torch.allclose(same[0], same[1])


def test_gradients_of_recomputed_pieces_are_those_of_kept_ones() -> None:
    readout, x = _readout(), torch.randn(7, 6, requires_grad=True)
    readout(x, layout_of([7])).square().sum().backward()
    assert x.grad is not None
    recomputed = [x.grad.clone(), *(p.grad for p in readout.parameters())]
    x.grad = None
    readout.zero_grad()
    residues = readout.project(x)
    torch.cat([readout.score(residues, p) for p in pairs_of(7)]).square().sum().backward()
    torch.testing.assert_close([x.grad, *(p.grad for p in readout.parameters())], recomputed)


def test_one_residue_has_no_pair_but_gradients_that_are_zero() -> None:
    """Processes that train together need a gradient of every weight from each of them."""
    readout = _readout()
    found = readout(torch.randn(1, 6), layout_of([1]))
    assert found.shape == (0, 2)
    found.sum().backward()
    for name, weight in readout.named_parameters():
        assert weight.grad is not None, name
        assert not weight.grad.any(), name
