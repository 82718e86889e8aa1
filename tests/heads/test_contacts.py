"""The contact head: symmetric, free of background, and the same in pieces."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from bioseq.heads import ContactHead
from bioseq.heads.contacts import correct_average_product


@pytest.fixture
def head() -> ContactHead:
    torch.manual_seed(0)
    return ContactHead(6)


@pytest.fixture
def maps() -> Tensor:
    return torch.randn(6, 9, 9, generator=torch.Generator().manual_seed(1)).softmax(dim=-1)


@torch.no_grad()
def test_contacts_are_symmetric_probabilities(head: ContactHead, maps: Tensor) -> None:
    contacts = head(maps)
    assert_close(contacts, contacts.T)
    assert ((contacts > 0) & (contacts < 1)).all()
    assert contacts.std() > 0


@torch.no_grad()
def test_layer_by_layer_gives_the_same_logits(head: ContactHead, maps: Tensor) -> None:
    parts = [head.score(maps[first : first + 2], first=first) for first in (0, 2, 4)]
    assert_close(torch.stack(parts).sum(dim=0) + head.regression.bias, head(maps).logit())


def test_correction_leaves_nothing_of_a_product_of_row_and_column() -> None:
    row = torch.rand(7, dtype=torch.float64) + 0.1
    corrected = correct_average_product((row[:, None] * row)[None])
    assert_close(corrected, torch.zeros_like(corrected))


def test_correction_leaves_rows_and_columns_without_sum(maps: Tensor) -> None:
    corrected = correct_average_product(maps.double())
    for axis in (-1, -2):
        assert_close(corrected.sum(dim=axis), torch.zeros(6, 9, dtype=torch.float64))


@pytest.mark.parity
@torch.no_grad()
def test_contacts_equal_those_of_fair_esm(head: ContactHead, maps: Tensor) -> None:
    modules = pytest.importorskip("esm.modules")
    other = modules.ContactPredictionHead(6, prepend_bos=True, append_eos=False)
    other.regression.load_state_dict(head.regression.state_dict())
    with_start = torch.nn.functional.pad(maps, (1, 0, 1, 0), value=0.3)
    theirs = other(torch.zeros(1, 10), with_start.reshape(1, 2, 3, 10, 10))
    assert_close(head(maps), theirs[0], rtol=1e-6, atol=1e-7)
