"""The MSA Transformer against fair-esm, at random weights."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

import pytest
import torch
from torch import Tensor

from bioseq.checkpoints import load_model
from bioseq.models import Padding
from bioseq.msa import Alignment, Msa
from bioseq.msa.tokens import encode_msa
from bioseq.prediction.contacts.transformer import row_attention_contacts
from tests.parity.record import ParityRecord

esm = pytest.importorskip("esm")

pytestmark = pytest.mark.parity

FAMILY, REFERENCE = "MSA Transformer", f"fair-esm {esm.__version__}"
SETTINGS = {
    "arch": "msa_transformer",
    "layers": 3,
    "embed_dim": 48,
    "ffn_embed_dim": 96,
    "attention_heads": 4,
    "dropout": 0.0,
    "attention_dropout": 0.0,
    "activation_dropout": 0.0,
    "max_tokens": 2**14,
    "max_positions": 128,
    "embed_positions_msa": True,
    "embed_positions_msa_dim": 48,
}
DEEP = (
    "MKTAYIAKQRQISFVK",
    "MKTA-IAKQRQ-SFVK",
    "-KSAYLAKQRQISF--",
    "MKXBYIAZQROISFUK",
    "M" + "-" * 15,
)
SHALLOW = ("ACDEFGHIK", "AC-EFGHIR")


@pytest.fixture(scope="module")
def reference() -> torch.nn.Module:
    torch.manual_seed(0)
    alphabet = esm.Alphabet.from_architecture("msa_transformer")
    model = esm.MSATransformer(argparse.Namespace(**SETTINGS), alphabet).eval()
    with torch.no_grad():
        for parameter in model.parameters():  # large enough that every term shows
            parameter.add_(torch.randn_like(parameter) * 0.1)
    return model


@pytest.fixture(scope="module")
def path(reference: torch.nn.Module, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("msa") / "model.pt"
    args = argparse.Namespace(**SETTINGS)
    torch.save({"args": args, "model": reference.state_dict()}, path)
    return path


def msa_of(rows: tuple[str, ...]) -> Msa:
    ids = tuple(str(number) for number in range(len(rows)))
    return Msa.from_alignment(Alignment(ids=ids, descriptions=ids, rows=rows))


def tokens_of(reference: torch.nn.Module, *alignments: tuple[str, ...]) -> Tensor:
    convert = esm.Alphabet.from_architecture("msa_transformer").get_batch_converter()
    return convert([[("", row) for row in rows] for rows in alignments])[2]


def test_the_tokens_are_those_of_fair_esm(reference: torch.nn.Module, path: Path) -> None:
    ours = encode_msa(msa_of(DEEP), load_model(path).tokenizer)
    assert torch.equal(torch.from_numpy(ours), tokens_of(reference, DEEP)[0])


@pytest.mark.parametrize("rows", [DEEP, SHALLOW, DEEP[:1]])
@torch.no_grad()
def test_states_logits_and_contacts_are_those_of_fair_esm(
    reference: torch.nn.Module, path: Path, rows: tuple[str, ...], record_parity: ParityRecord
) -> None:
    compare = partial(record_parity.of_largest, FAMILY, REFERENCE)
    model = load_model(path)
    tokens = tokens_of(reference, rows)
    theirs = reference(tokens, repr_layers=[0, 1, 2, 3], return_contacts=True)
    states = model.encoder(tokens[0], layers=(0, 1, 2, 3))
    for layer, state in enumerate(states):
        compare("states of all layers", state, theirs["representations"][layer][0])
    assert model.head is not None
    logits = model.head(states[-1].flatten(0, 1)).reshape(*tokens[0].shape, -1)
    compare("logits", logits, theirs["logits"][0])
    assert model.contacts is not None
    contacts = row_attention_contacts(model.alignment_encoder, model.contacts, tokens[0])
    compare("contacts", contacts, theirs["contacts"][0])


@torch.no_grad()
def test_padding_is_the_batch_of_fair_esm(
    reference: torch.nn.Module, path: Path, record_parity: ParityRecord
) -> None:
    compare = partial(record_parity.of_largest, FAMILY, REFERENCE)
    model = load_model(path)
    batch = tokens_of(reference, DEEP, SHALLOW)
    theirs = reference(batch, repr_layers=[3], return_contacts=True)
    tokens = tokens_of(reference, SHALLOW)[0]
    padding = Padding(depth=batch.shape[1], num_tokens=batch.shape[2])
    rows, columns = tokens.shape
    (state,) = model.encoder(tokens, padding=padding)
    compare("states in a padded batch", state, theirs["representations"][3][1, :rows, :columns])
    assert model.contacts is not None
    contacts = row_attention_contacts(
        model.alignment_encoder, model.contacts, tokens, padding=padding
    )
    compare("contacts in a padded batch", contacts, theirs["contacts"][1])
