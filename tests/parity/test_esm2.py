"""ESM-2 against transformers and fair-esm, at random weights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.testing import assert_close

from bioseq.batch import PackedBatch, pack
from bioseq.checkpoints import load_model
from bioseq.checkpoints.families.esm import build_esm_tokenizer
from bioseq.errors import CheckpointError
from bioseq.models import Encoding

transformers = pytest.importorskip("transformers")
esm = pytest.importorskip("esm")

pytestmark = pytest.mark.parity

LAYERS = (0, 1, 2, 3)
SEQUENCES = (
    "MKTAYIAKQRQISFVKSHFSRQLEERLGLIEVQ",
    "M",
    "XBZUOJ*.-ACDEFGHIKLMNPQRSTVWY",
    "GAVLIMGAVLIMGAVLIMGAVLIMGAVLIMGAVLIMGAVLIMGAVLIMGAVLIMGAVLIMGAVLIMGAVLIM" * 3,
    "KQRQISFVKSHFSRQLEERLGLIEVQMKTAYIA",
)
CONFIG = {
    "vocab_size": 33,
    "mask_token_id": 32,
    "pad_token_id": 1,
    "hidden_size": 48,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 192,
    "layer_norm_eps": 1e-5,
    "position_embedding_type": "rotary",
    "token_dropout": True,
    "emb_layer_norm_before": False,
}


@pytest.fixture(scope="module")
def reference() -> torch.nn.Module:
    torch.manual_seed(0)
    config = transformers.EsmConfig(**CONFIG, attn_implementation="eager")
    model = transformers.EsmForMaskedLM(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():  # large enough that every term shows
            parameter.add_(torch.randn_like(parameter) * 0.1)
        model.esm.rotary_embeddings.inv_freq.copy_(model.esm.rotary_embeddings.inv_freq.half())
    return model


def write_folder(folder: Path, tensors: dict[str, Tensor], **changes: object) -> Path:
    separate = {name: value.clone() for name, value in tensors.items()}  # some share memory
    save_file(separate, folder / "model.safetensors")
    config = {"model_type": "esm", **CONFIG, **changes}
    (folder / "config.json").write_text(json.dumps(config))
    return folder


@pytest.fixture(scope="module")
def folder(reference: torch.nn.Module, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_folder(tmp_path_factory.mktemp("esm2"), reference.state_dict())


@pytest.fixture(scope="module")
def batch() -> PackedBatch:
    batch = pack(build_esm_tokenizer().encode(SEQUENCES))
    batch.tokens[5:9] = 32  # masked residues in the first sequence
    return batch


def assert_states_close(ours: Encoding, theirs: tuple[Tensor, ...], mask: Tensor) -> None:
    for state, expected in zip(ours.states, theirs, strict=True):
        assert_close(state, expected[mask])


def assert_maps_close(ours: Encoding, theirs: tuple[Tensor, ...]) -> None:
    for maps, expected in zip(ours.attentions, theirs, strict=True):
        for segment, (heads, length) in enumerate((m.shape[0], m.shape[1]) for m in maps):
            assert_close(maps[segment], expected[segment, :heads, :length, :length])


def test_states_logits_and_maps_equal_those_of_transformers(
    reference: torch.nn.Module, folder: Path, batch: PackedBatch
) -> None:
    model = load_model(folder)
    tokens, mask = batch.padded(1)
    with torch.no_grad():
        theirs = reference(
            tokens, attention_mask=mask.long(), output_hidden_states=True, output_attentions=True
        )
        ours = model.encoder(batch, layers=LAYERS, attentions=True)
        assert model.head is not None
        assert_close(model.head(ours.states[-1]), theirs.logits[mask])
    assert_states_close(ours, theirs.hidden_states, mask)
    assert_maps_close(ours, theirs.attentions)


def test_states_logits_and_maps_equal_those_of_fair_esm(
    reference: torch.nn.Module, folder: Path, batch: PackedBatch
) -> None:
    model = load_model(folder)
    other = esm.ESM2(num_layers=3, embed_dim=48, attention_heads=4, alphabet="ESM-1b").eval()
    other.load_state_dict(as_fair_esm(reference.state_dict()))
    tokens, mask = batch.padded(1)
    with torch.no_grad():
        theirs = other(tokens, repr_layers=LAYERS, need_head_weights=True)
        ours = model.encoder(batch, layers=LAYERS, attentions=True)
        assert model.head is not None
        assert_close(model.head(ours.states[-1]), theirs["logits"][mask])
    assert_states_close(ours, tuple(theirs["representations"][k] for k in LAYERS), mask)
    assert_maps_close(ours, tuple(theirs["attentions"].unbind(1)))


def as_fair_esm(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Renames the reference's tensors to those of fair-esm."""
    renamed = {
        "embed_tokens.weight": state["esm.embeddings.word_embeddings.weight"],
        "lm_head.weight": state["esm.embeddings.word_embeddings.weight"],
        "lm_head.bias": state["lm_head.bias"],
        "contact_head.regression.weight": state["esm.contact_head.regression.weight"],
        "contact_head.regression.bias": state["esm.contact_head.regression.bias"],
    }
    pairs = {
        "emb_layer_norm_after": "esm.encoder.emb_layer_norm_after",
        "lm_head.dense": "lm_head.dense",
        "lm_head.layer_norm": "lm_head.layer_norm",
    }
    for layer in range(3):
        ours, theirs = f"layers.{layer}", f"esm.encoder.layer.{layer}"
        for short, long in (("q", "query"), ("k", "key"), ("v", "value")):
            pairs[f"{ours}.self_attn.{short}_proj"] = f"{theirs}.attention.self.{long}"
        pairs[f"{ours}.self_attn.out_proj"] = f"{theirs}.attention.output.dense"
        pairs[f"{ours}.self_attn_layer_norm"] = f"{theirs}.attention.LayerNorm"
        pairs[f"{ours}.fc1"] = f"{theirs}.intermediate.dense"
        pairs[f"{ours}.fc2"] = f"{theirs}.output.dense"
        pairs[f"{ours}.final_layer_norm"] = f"{theirs}.LayerNorm"
        renamed[f"{ours}.self_attn.rot_emb.inv_freq"] = state["esm.rotary_embeddings.inv_freq"]
    for name, source in pairs.items():
        for part in ("weight", "bias"):
            renamed[f"{name}.{part}"] = state[f"{source}.{part}"]
    return renamed


def test_the_tokens_are_those_of_fair_esm() -> None:
    convert = esm.data.Alphabet.from_architecture("ESM-1b").get_batch_converter()
    sequence = "XBZUO.-ACDEFGHIKLMNPQRSTVWY"
    _, _, theirs = convert([("", sequence)])
    assert pack(build_esm_tokenizer().encode([sequence])).tokens.tolist() == theirs[0].tolist()


def test_every_symbol_without_a_token_is_one_unknown() -> None:
    tokens = build_esm_tokenizer().encode(["AJ*A"])  # fair-esm fails here, transformers reads one
    assert tokens.ids.tolist() == [0, 5, 3, 3, 5, 2]
    assert tokens.unknown == 2


def test_the_rates_come_from_the_file(reference: torch.nn.Module, folder: Path) -> None:
    rates = load_model(folder).encoder.state_dict()["rotary.rates"]
    assert torch.equal(rates, reference.state_dict()["esm.rotary_embeddings.inv_freq"])
    assert torch.equal(rates, rates.half().float())


def published_names(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The names of the files on the hub: rates in every layer, no separate output matrix."""
    state = dict(state)
    rates = state.pop("esm.rotary_embeddings.inv_freq")
    del state["lm_head.decoder.weight"]
    for layer in range(3):
        name = f"esm.encoder.layer.{layer}.attention.self.rotary_embeddings.inv_freq"
        state[name] = rates
    state["esm.embeddings.position_ids"] = torch.arange(1026)[None]
    state["esm.embeddings.position_embeddings.weight"] = torch.zeros(1026, 48)
    return state


def encode(folder: Path, batch: PackedBatch) -> Tensor:
    with torch.no_grad():
        return load_model(folder).encoder(batch).states[0]


def test_published_files_give_the_same_numbers(
    reference: torch.nn.Module, folder: Path, batch: PackedBatch, tmp_path: Path
) -> None:
    write_folder(tmp_path, published_names(reference.state_dict()))
    assert torch.equal(encode(tmp_path, batch), encode(folder, batch))
    head = load_model(tmp_path).head
    assert head is not None
    tied = reference.state_dict()["esm.embeddings.word_embeddings.weight"]
    assert torch.equal(head.output.weight, tied)


@pytest.mark.filterwarnings("ignore")
def test_what_transformers_writes_gives_the_same_numbers(
    reference: torch.nn.Module, folder: Path, batch: PackedBatch, tmp_path: Path
) -> None:
    transformers.utils.logging.disable_progress_bar()
    cast("Any", reference).save_pretrained(tmp_path)
    assert torch.equal(encode(tmp_path, batch), encode(folder, batch))


def test_a_file_of_the_encoder_alone_has_no_head(
    reference: torch.nn.Module, folder: Path, batch: PackedBatch, tmp_path: Path
) -> None:
    state = {
        name.removeprefix("esm."): value
        for name, value in reference.state_dict().items()
        if name.startswith("esm.")
    }
    write_folder(tmp_path, state | {"pooler.dense.weight": torch.zeros(48, 48)})
    model = load_model(tmp_path)
    assert (model.head, model.objective) == (None, None)
    assert torch.equal(encode(tmp_path, batch), encode(folder, batch))


@pytest.mark.parametrize(
    "change",
    [
        {"position_embedding_type": "relative_key"},
        {"token_dropout": False},
        {"vocab_size": 64},
    ],
)
def test_another_arithmetic_is_refused(
    reference: torch.nn.Module, tmp_path: Path, change: dict[str, object]
) -> None:
    write_folder(tmp_path, reference.state_dict(), **change)
    with pytest.raises(CheckpointError, match=next(iter(change))):
        load_model(tmp_path)


def test_a_missing_tensor_is_named_as_the_file_names_it(
    reference: torch.nn.Module, tmp_path: Path
) -> None:
    state = dict(reference.state_dict())
    del state["esm.encoder.layer.1.attention.self.key.bias"]
    write_folder(tmp_path, state)
    with pytest.raises(CheckpointError) as caught:
        load_model(tmp_path)
    assert caught.value.missing == ("encoder.layer.1.attention.self.key.bias",)
