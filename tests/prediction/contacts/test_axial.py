"""The axial network over coevolution: laws that hold for any weights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from bioseq.errors import CheckpointError, OptionError
from bioseq.io import read_alignment
from bioseq.models import axial_contacts
from bioseq.models.axial_contacts import AxialContactConfig, AxialContactModel, ContactInputs
from bioseq.msa import Msa
from bioseq.prediction.contacts.features import COLUMN_FEATURES, contact_inputs
from bioseq.prediction.contacts.network import load_network, save_network
from bioseq.prediction.contacts.precision import precision_at


@pytest.fixture(scope="module")
def model() -> AxialContactModel:
    torch.manual_seed(0)
    config = AxialContactConfig(column_features=COLUMN_FEATURES, dim=8, num_blocks=3)
    return AxialContactModel(config).eval()


@pytest.fixture
def inputs(tmp_path: Path, write_alignment: Callable[..., Path]) -> ContactInputs:
    path = write_alignment(tmp_path / "x.a3m", depth=20, length=15)
    return contact_inputs(Msa.from_alignment(read_alignment(path)))


@torch.no_grad()
def test_a_map_is_symmetric_and_holds_probabilities(
    model: AxialContactModel, inputs: ContactInputs
) -> None:
    found = model.contacts(inputs)
    assert_close(found, found.T)
    assert ((found > 0) & (found < 1)).all()
    assert found.std() > 0
    bins = model(inputs).softmax(dim=-1)
    assert_close(bins[..., :3].sum(dim=-1), found)  # below 4, 6 and 8 angstrom


@torch.no_grad()
def test_rows_at_a_time_change_no_number(
    model: AxialContactModel, inputs: ContactInputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = model(inputs)
    monkeypatch.setattr(axial_contacts, "_ROWS_AT_ONCE", 4)
    assert_close(model(inputs), whole)


@torch.no_grad()
def test_every_pair_sees_every_other(model: AxialContactModel, inputs: ContactInputs) -> None:
    scores = inputs.scores.clone()
    scores[0, 14] = scores[14, 0] = scores[0, 14] + 5
    changed = (model(replace(inputs, scores=scores)) - model(inputs)).abs().amax(dim=-1)
    assert (changed > 0).all()


def test_the_features_belong_to_columns_and_pairs(
    inputs: ContactInputs,
) -> None:
    assert inputs.factor.shape == (15, 21, 21)
    assert inputs.scores.shape == (15, 15, 2)
    assert inputs.columns.shape == (15, COLUMN_FEATURES)
    assert torch.isfinite(inputs.factor).all()


def test_features_of_a_single_sequence_are_finite() -> None:
    symbols = np.frombuffer(b"ACDEFG", np.uint8)[None]
    msa = Msa(ids=("q",), symbols=symbols, deletions=np.zeros(symbols.shape, np.int32))
    found = contact_inputs(msa)
    for part in (found.factor, found.scores, found.columns):
        assert torch.isfinite(part).all()


@torch.no_grad()
def test_a_network_is_read_as_it_was_written(
    model: AxialContactModel, inputs: ContactInputs, tmp_path: Path
) -> None:
    save_network(model, tmp_path / "net")
    again, digest = load_network(tmp_path / "net")
    assert again.config == model.config
    assert len(digest) == 64
    assert_close(again.contacts(inputs), model.contacts(inputs), atol=2e-3, rtol=0)


def test_another_folder_is_no_network(tmp_path: Path, tiny_lstm: Path) -> None:
    with pytest.raises(CheckpointError, match="bioseq-contacts"):
        load_network(tiny_lstm)


def test_heads_that_do_not_divide_the_width_are_refused() -> None:
    with pytest.raises(OptionError, match="multiples of num_heads"):
        AxialContactConfig(column_features=3, dim=7, num_heads=2)


def test_precision_counts_the_known_pairs_of_the_range() -> None:
    scores = np.zeros((5, 5))
    scores[0, 4], scores[0, 3], scores[1, 4], scores[0, 1] = 4, 3, 2, 9
    contacts = np.zeros((5, 5), bool)
    contacts[0, 4] = contacts[1, 4] = contacts[0, 1] = True
    known = np.ones((5, 5), bool)
    assert precision_at(scores, contacts, known, count=2, separation=3) == 0.5
    assert precision_at(scores, contacts, known, count=3, separation=3) == 2 / 3
    known[0, 3] = False
    assert precision_at(scores, contacts, known, count=2, separation=3) == 1.0
    assert np.isnan(precision_at(scores, contacts, known & False, count=2))
