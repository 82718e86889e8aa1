"""RNA-FM in MultiMolecule's layouts, against fair-esm's ESM-1b over the bases.

MultiMolecule itself can't be installed beside the other references: its names, and the order of its
tokens, are written down here from its sources.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from bioseq.batch import PackedBatch
from bioseq.checkpoints import Model, load_model
from bioseq.errors import CheckpointError
from tests.parity.nucleotides import SEQUENCES, record_all
from tests.parity.record import ParityRecord
from tests.parity.reference import mixed_batch
from tests.parity.test_rna_fm import (
    DIM,
    NUM_HEADS,
    NUM_LAYERS,
    REFERENCE,
    build_alphabet,
    reference,
)

pytestmark = pytest.mark.parity

__all__ = ["reference"]  # the fixture

SPECIALS = ("<pad>", "<cls>", "<eos>", "<unk>", "<mask>", "<null>")
# Generation: where the encoder stands, the symbols in the order of their ids, names that differ.
LAYOUTS: dict[str, tuple[str, str, dict[str, str], dict[str, object]]] = {
    "0.0": (
        "rnafm",
        "ACGUNRYSWKMBDHV.X*-I",
        {"emb_layer_norm_after": "encoder.emb_layer_norm_after"},
        {"emb_layer_norm_before": True},
    ),
    "0.1": (
        "model",
        "ACGUNRYSWKMBDHVIX|.*-?",
        {"emb_layer_norm_after": "encoder.layer_norm"},
        {"embed_norm": True},
    ),
}
NAMES = {
    "embed_tokens": "embeddings.word_embeddings",
    "embed_positions": "embeddings.position_embeddings",
    "emb_layer_norm_before": "embeddings.layer_norm",
    "self_attn.q_proj": "attention.self.query",
    "self_attn.k_proj": "attention.self.key",
    "self_attn.v_proj": "attention.self.value",
    "self_attn.out_proj": "attention.output.dense",
    "self_attn_layer_norm": "attention.layer_norm",
    "final_layer_norm": "layer_norm",
    "fc1": "intermediate.dense",
    "fc2": "output.dense",
}


def published_name(name: str, layout: str) -> str:
    base, _, more, _ = LAYOUTS[layout]
    place, _, part = name.rpartition(".")
    if place.startswith("layers."):
        _, layer, inner = place.split(".", 2)
        return f"{base}.encoder.layer.{layer}.{NAMES[inner]}.{part}"
    if place.startswith("lm_head"):
        inner = {"lm_head.dense": "transform.dense", "lm_head.layer_norm": "transform.layer_norm"}
        return f"lm_head.{inner.get(place, 'decoder')}.{part}"
    return f"{base}.{ {**NAMES, **more}[place] }.{part}"


def tokens_of(layout: str) -> tuple[str, ...]:
    return (*SPECIALS, *LAYOUTS[layout][1])


def reorder(table: Tensor, layout: str) -> Tensor:
    """Puts the rows in MultiMolecule's order; tokens of its own get numbers that would show."""
    alphabet = build_alphabet()
    rows = torch.full((len(tokens_of(layout)), *table.shape[1:]), 7.0)
    for number, token in enumerate(tokens_of(layout)):
        if token in alphabet.tok_to_idx:
            rows[number] = table[alphabet.get_idx(token)]
    return rows


@pytest.fixture(scope="module", params=LAYOUTS)
def folder(
    request: pytest.FixtureRequest, reference: Any, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    layout, folder = request.param, tmp_path_factory.mktemp("multimolecule") / request.param
    folder.mkdir()
    tensors = {
        published_name(name, layout): tensor.detach().clone()
        for name, tensor in reference.state_dict().items()
        if not name.startswith("contact_head.")
    }
    for name in tensors:
        if "word_embeddings" in name or name.startswith("lm_head.decoder."):
            tensors[name] = reorder(tensors[name], layout)
    tensors["lm_head.bias"] = tensors["lm_head.decoder.bias"].clone()
    tensors["ss_head.decoder.weight"] = torch.zeros(1, NUM_LAYERS * NUM_HEADS)
    tensors["ss_head.decoder.bias"] = torch.zeros(1)
    save_file(tensors, folder / "model.safetensors")
    config = {
        **{"model_type": "rnafm", "vocab_size": len(tokens_of(layout)), "hidden_size": DIM},
        **{"num_hidden_layers": NUM_LAYERS, "num_attention_heads": NUM_HEADS},
        **{"intermediate_size": 2 * DIM, "hidden_act": "gelu", "layer_norm_eps": 1e-5},
        **{"position_embedding_type": "absolute", "max_position_embeddings": 1026},
        **{"token_dropout": True, "mask_token_id": 4, "pad_token_id": 0, "is_decoder": False},
        **LAYOUTS[layout][3],
    }
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "vocab.txt").write_text("\n".join(tokens_of(layout)) + "\n")
    return folder


@pytest.fixture(scope="module")
def model(folder: Path) -> Model:
    return load_model(folder)


def as_authors_read(batch: PackedBatch, tokens: tuple[str, ...]) -> Tensor:
    """The authors' ids of a padded batch."""
    alphabet = build_alphabet()
    ids = [alphabet.get_idx(t) if t in alphabet.tok_to_idx else alphabet.unk_idx for t in tokens]
    ours, mask = batch.padded(0)
    return torch.where(mask, torch.tensor(ids)[ours.long()], alphabet.padding_idx)


def test_states_maps_and_logits_are_equal(
    reference: Any, model: Model, record_parity: ParityRecord
) -> None:
    tokens = model.tokenizer.vocabulary.tokens
    batch = mixed_batch(model.tokenizer, SEQUENCES, mask="<mask>")
    with torch.no_grad():
        read = as_authors_read(batch, tokens)
        theirs = reference(read, repr_layers=range(NUM_LAYERS + 1), need_head_weights=True)
    alphabet = build_alphabet()
    known = [n for n, token in enumerate(tokens) if token in alphabet.tok_to_idx]
    logits = torch.zeros(*read.shape, len(tokens))
    logits[..., known] = theirs["logits"][..., [alphabet.get_idx(tokens[n]) for n in known]]
    assert model.head is not None
    unknown = [n for n in range(len(tokens)) if n not in known]
    head = model.head.output
    head.weight.data[unknown], head.bias.data[unknown] = 0, 0
    record_all(
        record_parity,
        "RNA-FM (MultiMolecule)",
        REFERENCE,
        model,
        batch,
        states=[theirs["representations"][k] for k in range(NUM_LAYERS + 1)],
        maps=theirs["attentions"].unbind(1),
        logits=logits,
    )


def test_what_was_never_trained_reads_as_unknown(model: Model) -> None:
    vocabulary = model.tokenizer.vocabulary
    ids = model.tokenizer.encode(["aT*.-N"]).ids.tolist()
    expected = ("<cls>", "A", "U", "<unk>", "<unk>", "-", "N", "<eos>")
    assert ids == list(vocabulary.ids(expected))


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("vocab.txt", None, "vocab.txt is absent or not RNA-FM's: no -, <cls>"),
        ("config.json", ("gelu", "relu"), "hidden_act is 'relu'"),
    ],
)
def test_another_model_is_named(
    folder: Path, tmp_path: Path, name: str, text: tuple[str, str] | None, problem: str
) -> None:
    for file in folder.iterdir():
        if file.name != name:
            (tmp_path / file.name).symlink_to(file)
        elif text is not None:
            (tmp_path / name).write_text(file.read_text().replace(*text))
    with pytest.raises(CheckpointError, match=problem):
        load_model(tmp_path)
