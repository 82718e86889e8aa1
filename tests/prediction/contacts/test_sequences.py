"""Contacts of sequences alone, through the run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from bioseq.batch import pack
from bioseq.checkpoints import Model, load_model
from bioseq.errors import CheckpointError
from bioseq.heads import ContactHead
from bioseq.prediction.contacts import ContactOptions, predict_contacts, predictors
from bioseq.prediction.contacts.sequence import attention_contacts
from bioseq.records import refget_digest
from bioseq.store import check_store

FASTA = ">a first\nMKTAYIAKQR\n>b\nACDEF\n>again\nmktayiakqr\n>none\n\n>long\n" + "M" * 70 + "\n"


@pytest.fixture
def model(tiny_transformer: Path, monkeypatch: pytest.MonkeyPatch) -> Model:
    torch.manual_seed(0)
    model = load_model(tiny_transformer)
    config = model.encoder.config
    model = replace(model, contacts=ContactHead(config.num_layers * config.num_heads))
    monkeypatch.setattr(predictors, "load_model", lambda _: model)
    return model


def test_each_sequence_gets_the_map_of_its_own_attention(
    model: Model, tiny_transformer: Path, tmp_path: Path
) -> None:
    fasta = tmp_path / "x.fasta"
    fasta.write_text(FASTA)
    options = ContactOptions(model=tiny_transformer)
    with predict_contacts(fasta, tmp_path / "o.h5", options) as store:
        assert store.ids == ["a", "b", "again", "none", "long"]
        assert store.num_sequences == 2
        assert store.tables.digests[0] == refget_digest("MKTAYIAKQR")
        reasons = store.failures["reason"].to_list()
        assert "residues of the query is 0" in reasons[0]
        assert "to 62 residues" in reasons[1]
        for sequence, found in zip(
            ("MKTAYIAKQR", "ACDEF"), store.predictions["contacts"][:2], strict=True
        ):
            (expected,) = attention_contacts(model, pack(model.tokenizer.encode([sequence])))
            np.testing.assert_allclose(found, expected.numpy(), rtol=1e-5)
        assert store.settings["input"] == "sequence"
    assert check_store(tmp_path / "o.h5") == []


def test_a_model_without_contact_head_is_refused(tiny_transformer: Path, tmp_path: Path) -> None:
    fasta = tmp_path / "x.fasta"
    fasta.write_text(FASTA)
    with pytest.raises(CheckpointError, match="no contact head"):
        predict_contacts(fasta, tmp_path / "o.h5", ContactOptions(model=tiny_transformer))
