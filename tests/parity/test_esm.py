"""ESM-1b, ESM-1v and ESM-2 in the Hugging Face layout, against transformers."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from bioseq.batch import PackedBatch
from bioseq.checkpoints import Model, load_model
from bioseq.checkpoints.families.esm import build_esm_tokenizer
from bioseq.errors import CheckpointError, OptionError
from bioseq.prediction.contacts.sequence import attention_contacts
from tests.parity.record import ParityRecord
from tests.parity.reference import (
    mixed_batch,
    perturb,
    real_contacts,
    real_maps,
    real_rows,
)
from tests.parity.tokens import NUM_SEQUENCES, assert_same_tokens, nasty_sequences

transformers = pytest.importorskip("transformers")

pytestmark = pytest.mark.parity

REFERENCE = f"transformers {transformers.__version__}"
NUM_LAYERS = 3
LAYERS = tuple(range(NUM_LAYERS + 1))
KINDS = {
    "ESM-1b": {"position_embedding_type": "absolute", "emb_layer_norm_before": True},
    "ESM-1v": {"position_embedding_type": "absolute", "emb_layer_norm_before": False},
    "ESM-2": {"position_embedding_type": "rotary", "emb_layer_norm_before": False},
}


@pytest.fixture(scope="module", params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def reference(kind: str) -> Any:
    transformers.utils.logging.disable_progress_bar()
    torch.manual_seed(0)
    config = transformers.EsmConfig(
        vocab_size=33,
        mask_token_id=32,
        pad_token_id=1,
        hidden_size=48,
        num_hidden_layers=NUM_LAYERS,
        num_attention_heads=4,
        intermediate_size=192,
        layer_norm_eps=1e-5,
        max_position_embeddings=1026,
        token_dropout=True,
        attn_implementation="eager",
        **KINDS[kind],
    )
    model: Any = perturb(transformers.EsmForMaskedLM(config))
    if kind == "ESM-2":
        rates = model.esm.rotary_embeddings.inv_freq
        rates.copy_(rates.half())
    return model


@pytest.fixture(scope="module")
def folder(reference: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("esm")
    reference.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def model(folder: Path) -> Model:
    return load_model(folder)


@pytest.fixture(scope="module")
def batch() -> PackedBatch:
    return mixed_batch(build_esm_tokenizer(), mask="<mask>")


def test_states_logits_maps_and_contacts_are_equal(
    kind: str, reference: Any, model: Model, batch: PackedBatch, record_parity: ParityRecord
) -> None:
    tokens, mask = batch.padded(1)
    lengths = batch.layout.lengths
    with torch.no_grad():
        theirs = reference(
            tokens, attention_mask=mask.long(), output_hidden_states=True, output_attentions=True
        )
        ours = model.encoder(batch, layers=LAYERS, attentions=True)
        assert model.head is not None
        logits = model.head(ours.states[-1])
    maps = real_maps(theirs.attentions, lengths)
    hidden = real_rows(theirs.hidden_states, mask)
    record_parity(kind, REFERENCE, "states of all layers", ours.states, hidden)
    record_parity(kind, REFERENCE, "logits", logits, theirs.logits[mask])
    record_parity(kind, REFERENCE, "attention maps", ours.attentions, maps)
    if kind == "ESM-1v":
        assert model.contacts is None
        return
    with torch.no_grad():
        padded = reference.predict_contacts(tokens, mask.long())
        contacts = attention_contacts(model, batch)
    record_parity(kind, REFERENCE, "contacts", contacts, real_contacts(padded, lengths))


def rewrite(
    folder: Path, target: Path, change: Callable[[dict[str, Tensor]], dict[str, Tensor]]
) -> Path:
    """Copies a model folder with other tensors."""
    tensors = load_file(folder / "model.safetensors")
    save_file({k: v.clone() for k, v in change(tensors).items()}, target / "model.safetensors")
    (target / "config.json").write_bytes((folder / "config.json").read_bytes())
    return target


def published_names(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """The names of the files on the hub: rates in every layer, left-over positions."""
    state = dict(state)
    rates = state.pop("esm.rotary_embeddings.inv_freq", None)
    if rates is not None:
        state["esm.embeddings.position_embeddings.weight"] = torch.zeros(1026, 48)
        for layer in range(NUM_LAYERS):
            name = f"esm.encoder.layer.{layer}.attention.self.rotary_embeddings.inv_freq"
            state[name] = rates
    state["esm.embeddings.position_ids"] = torch.arange(1026)[None]
    return state


def encode(model: Model, batch: PackedBatch) -> Tensor:
    with torch.no_grad():
        return model.encoder(batch).states[0]


def test_the_names_of_older_files_give_the_same_numbers(
    folder: Path, model: Model, batch: PackedBatch, tmp_path: Path
) -> None:
    other = load_model(rewrite(folder, tmp_path, published_names))
    assert torch.equal(encode(other, batch), encode(model, batch))
    assert other.head is not None
    assert model.head is not None
    assert torch.equal(other.head.output.weight, model.head.output.weight)


def test_a_bin_file_gives_the_same_numbers(
    reference: Any, folder: Path, model: Model, batch: PackedBatch, tmp_path: Path
) -> None:
    torch.save(reference.state_dict(), tmp_path / "pytorch_model.bin")
    (tmp_path / "config.json").write_bytes((folder / "config.json").read_bytes())
    assert torch.equal(encode(load_model(tmp_path), batch), encode(model, batch))


def test_shards_give_the_same_numbers(
    reference: Any, model: Model, batch: PackedBatch, tmp_path: Path
) -> None:
    reference.save_pretrained(tmp_path, max_shard_size="100KB")
    assert len(list(tmp_path.glob("*.safetensors"))) > 3
    assert torch.equal(encode(load_model(tmp_path), batch), encode(model, batch))


def test_sharded_bin_files_give_the_same_numbers(
    reference: Any, folder: Path, model: Model, batch: PackedBatch, tmp_path: Path
) -> None:
    state = reference.state_dict()
    shards = {name: f"pytorch_model-{place % 3}.bin" for place, name in enumerate(state)}
    for shard in set(shards.values()):
        torch.save({k: state[k] for k in state if shards[k] == shard}, tmp_path / shard)
    index = {"metadata": {}, "weight_map": shards}
    (tmp_path / "pytorch_model.bin.index.json").write_text(json.dumps(index))
    (tmp_path / "config.json").write_bytes((folder / "config.json").read_bytes())
    assert torch.equal(encode(load_model(tmp_path), batch), encode(model, batch))


def test_a_file_of_the_encoder_alone_has_no_head(
    reference: Any, model: Model, batch: PackedBatch, tmp_path: Path
) -> None:
    config = reference.config
    encoder = transformers.EsmModel(config).eval()  # with the pooler that nobody trained
    encoder.load_state_dict(reference.esm.state_dict(), strict=False)
    encoder.save_pretrained(tmp_path)
    other = load_model(tmp_path)
    assert (other.head, other.objective) == (None, None)
    assert torch.equal(encode(other, batch), encode(model, batch))


def test_the_rates_come_from_the_file(kind: str, reference: Any, model: Model) -> None:
    if kind != "ESM-2":
        assert "rotary.rates" not in model.encoder.state_dict()
        return
    rates = model.encoder.state_dict()["rotary.rates"]
    assert torch.equal(rates, reference.esm.rotary_embeddings.inv_freq)
    assert torch.equal(rates, rates.half().float())


def test_longer_than_the_position_table_is_refused(kind: str, model: Model) -> None:
    limit = None if kind == "ESM-2" else 1024
    assert model.encoder.max_tokens == limit
    longest = mixed_batch(model.tokenizer, ["M" * 1022])
    with torch.no_grad():
        model.encoder(longest)
        if limit:
            with pytest.raises(OptionError, match="1025"):
                model.encoder(mixed_batch(model.tokenizer, ["M" * 1023]))


@pytest.mark.parametrize(
    "change",
    [
        {"position_embedding_type": "relative_key"},
        {"token_dropout": False},
        {"vocab_size": 64},
        {"is_folding_model": True},
    ],
)
def test_another_arithmetic_is_refused(
    folder: Path, tmp_path: Path, change: dict[str, object]
) -> None:
    rewrite(folder, tmp_path, dict)
    config = json.loads((tmp_path / "config.json").read_text()) | change
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(CheckpointError, match=next(iter(change))):
        load_model(tmp_path)


def test_a_missing_tensor_is_named_as_the_file_names_it(folder: Path, tmp_path: Path) -> None:
    name = "encoder.layer.1.attention.self.key.bias"
    rewrite(folder, tmp_path, lambda t: {k: v for k, v in t.items() if not k.endswith(name)})
    with pytest.raises(CheckpointError) as caught:
        load_model(tmp_path)
    assert caught.value.missing == (name,)


@pytest.mark.slow
def test_tokens_are_those_of_transformers(tmp_path: Path, record_parity: ParityRecord) -> None:
    tokenizer = build_esm_tokenizer()
    vocabulary = tmp_path / "vocab.txt"
    vocabulary.write_text("\n".join(tokenizer.vocabulary.tokens))
    theirs = transformers.EsmTokenizer(str(vocabulary))
    sequences = nasty_sequences("ACDEFGHIKLMNPQRSTVWY", "XBZUO-.")
    sequences += nasty_sequences("ACDEFGHIKLMNPQRSTVWY", "XBZUOJ*-.", count=2_000)
    # transformers reads a run of unknown symbols as one token, and lower case as unknown.
    spelled = str.maketrans({"J": "<unk>", "*": "<unk>"})
    differing = assert_same_tokens(
        tokenizer,
        lambda text: theirs(text)["input_ids"],
        sequences,
        read_as=lambda sequence: sequence.upper().translate(spelled),
    )
    assert len(sequences) - differing > NUM_SEQUENCES
    record_parity.tokens(
        "ESM-1b, ESM-1v, ESM-2",
        REFERENCE,
        sequences=len(sequences),
        differing=differing,
        reason="lower case as upper case, each J and each * as one unknown token",
    )
