from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from bioseq.batch import pack
from bioseq.checkpoints import Model, load_model
from bioseq.errors import OptionError
from bioseq.heads import ContactHead
from bioseq.prediction.contacts.sequence import attention_contacts

SEQUENCES = ["MKTAYIAKQR", "M", "GAVLIMGAVLIM"]


@pytest.fixture(scope="module")
def model(tiny_transformer: Path) -> Model:
    torch.manual_seed(0)
    model = load_model(tiny_transformer)
    config = model.encoder.config
    return replace(model, contacts=ContactHead(config.num_layers * config.num_heads))


def test_contacts_are_the_heads_over_all_maps_without_special_tokens(model: Model) -> None:
    batch = pack(model.tokenizer.encode(SEQUENCES))
    contacts = attention_contacts(model, batch)
    assert model.contacts is not None
    with torch.no_grad():
        layers = model.encoder(batch, attentions=True).attentions
        for place, sequence in enumerate(SEQUENCES):
            maps = torch.cat([layer[place] for layer in layers])[:, 1:-1, 1:-1]
            assert contacts[place].shape == (len(sequence), len(sequence))
            torch.testing.assert_close(contacts[place], model.contacts(maps))


def test_contacts_do_not_depend_on_the_batch(model: Model) -> None:
    together = attention_contacts(model, pack(model.tokenizer.encode(SEQUENCES)))
    for sequence, contacts in zip(SEQUENCES, together, strict=True):
        (alone,) = attention_contacts(model, pack(model.tokenizer.encode([sequence])))
        torch.testing.assert_close(alone, contacts)


def test_a_model_without_a_contact_head_is_refused(tiny_transformer: Path) -> None:
    model = load_model(tiny_transformer)
    with pytest.raises(OptionError, match=r"tiny-transformer.*models with a contact head"):
        attention_contacts(model, pack(model.tokenizer.encode(SEQUENCES)))


def test_a_sequence_beyond_the_length_limit_is_refused(model: Model) -> None:
    with pytest.raises(OptionError, match="65"):
        attention_contacts(model, pack(model.tokenizer.encode(["M" * 63])))
