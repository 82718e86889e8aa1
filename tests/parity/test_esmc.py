"""ESM-C in the Hugging Face layout and in its authors' own files, against transformers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from bioseq.batch import PackedBatch
from bioseq.checkpoints import Model, load_model
from bioseq.checkpoints.families.esmc import build_esmc_tokenizer
from bioseq.errors import CheckpointError
from tests.parity.record import ParityRecord
from tests.parity.reference import mixed_batch, perturb, real_maps, real_rows
from tests.parity.tokens import assert_same_tokens, nasty_sequences

transformers = pytest.importorskip("transformers")

pytestmark = pytest.mark.parity

REFERENCE = f"transformers {transformers.__version__}"
NUM_LAYERS, DIM, NUM_HEADS = 3, 128, 2  # heads of 64, as in all released models
LAYERS = tuple(range(NUM_LAYERS + 1))
NATIVE_MODULES = {
    "embed_tokens": "embed",
    "self_attn.q_norm": "attn.q_ln",
    "self_attn.k_norm": "attn.k_ln",
    "self_attn.o_proj": "attn.out_proj",
    "norm": "transformer.norm",
    "input_layernorm": "attn.layernorm_qkv.0",
    "post_attention_layernorm": "ffn.0",
    "mlp.down_proj": "ffn.3",
    "dense": "sequence_head.0",
    "layer_norm": "sequence_head.2",
    "decoder": "sequence_head.3",
}
FUSED_NAMES = {
    "attn.layernorm_qkv.0.": "attn.layernorm_qkv.layer_norm_",
    "attn.layernorm_qkv.1.": "attn.layernorm_qkv.",
    "ffn.0.": "ffn.layer_norm_",
    "ffn.1.": "ffn.fc1_",
    "ffn.3.": "ffn.fc2_",
    "sequence_head": "lm_head",
}


@pytest.fixture(scope="module")
def reference() -> Any:
    transformers.utils.logging.disable_progress_bar()
    torch.manual_seed(0)
    config = transformers.EsmcConfig(
        hidden_size=DIM,
        num_hidden_layers=NUM_LAYERS,
        num_attention_heads=NUM_HEADS,
        intermediate_size=256,
        attn_implementation="eager",
    )
    # Twice as much gives states up to 30, which float32 rounds by more than the bound.
    return perturb(transformers.EsmcForMaskedLM(config), scale=0.05)


def native_state(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Renames and joins the reference's tensors to those of the authors' `.pth`."""
    native = {}
    for name, value in state.items():
        module, _, part = name.removeprefix("esmc.").removeprefix("lm_head.").rpartition(".")
        layer, inner = module.split(".", 2)[1:] if module.startswith("layers.") else ("", module)
        if inner in NATIVE_MODULES:
            block = f"transformer.blocks.{layer}." if layer else ""
            native[f"{block}{NATIVE_MODULES[inner]}.{part}"] = value
    for layer in range(NUM_LAYERS):
        theirs, block = f"esmc.layers.{layer}", f"transformer.blocks.{layer}"
        joined = [state[f"{theirs}.self_attn.{name}_proj.weight"] for name in "qkv"]
        native[f"{block}.attn.layernorm_qkv.1.weight"] = torch.cat(joined)
        joined = [state[f"{theirs}.mlp.{name}_proj.weight"] for name in ("gate", "up")]
        native[f"{block}.ffn.1.weight"] = torch.cat(joined)
    return native


def fused_state(native: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Renames the tensors to those of the authors' safetensors."""
    fused = {}
    for name, value in native.items():
        new = name
        for old_part, new_part in FUSED_NAMES.items():
            new = new.replace(old_part, new_part)
        fused[new if new.startswith("lm_head.") else f"esmc.{new}"] = value
    for layer in range(NUM_LAYERS):
        for owner in ("attn.layernorm_qkv", "ffn"):
            fused[f"esmc.transformer.blocks.{layer}.{owner}._extra_state"] = torch.zeros(4)
    return fused


def write(layout: str, reference: Any, folder: Path) -> Path:
    state = reference.state_dict()
    if layout == "Hugging Face":
        reference.save_pretrained(folder)
        return folder
    if layout == "native":
        torch.save(native_state(state), folder / "esmc_tiny_v0.pth")
        return folder / "esmc_tiny_v0.pth"
    save_file(fused_state(native_state(state)), folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps({"model_type": "esmc"}))
    return folder


@pytest.fixture(scope="module", params=["Hugging Face", "native", "fused"])
def model(
    request: pytest.FixtureRequest, reference: Any, tmp_path_factory: pytest.TempPathFactory
) -> Model:
    return load_model(write(request.param, reference, tmp_path_factory.mktemp("esmc")))


@pytest.fixture(scope="module")
def batch() -> PackedBatch:
    return mixed_batch(build_esmc_tokenizer(), mask="<mask>")


def test_states_logits_and_maps_are_equal(
    reference: Any, model: Model, batch: PackedBatch, record_parity: ParityRecord
) -> None:
    tokens, mask = batch.padded(1)
    with torch.no_grad():
        theirs = reference(
            tokens, attention_mask=mask.long(), output_hidden_states=True, output_attentions=True
        )
        ours = model.encoder(batch, layers=LAYERS, attentions=True)
        assert model.head is not None
        logits = model.head(ours.states[-1])
    maps = real_maps(theirs.attentions, batch.layout.lengths)
    hidden = real_rows(theirs.hidden_states, mask)
    record_parity("ESM-C", REFERENCE, "states of all layers", ours.states, hidden)
    record_parity("ESM-C", REFERENCE, "logits", logits, theirs.logits[mask])
    record_parity("ESM-C", REFERENCE, "attention maps", ours.attentions, maps)
    assert model.contacts is None


def test_the_last_layer_is_normalised_and_the_others_are_not(
    reference: Any, batch: PackedBatch, model: Model
) -> None:
    raw = []
    handle = reference.esmc.norm.register_forward_hook(lambda _, inputs, __: raw.append(inputs[0]))
    tokens, mask = batch.padded(1)
    with torch.no_grad():
        normalised = reference.esmc(tokens, attention_mask=mask.long()).last_hidden_state
        ours = model.encoder(batch, layers=(-1,)).states[0]
    handle.remove()
    torch.testing.assert_close(ours, normalised[mask])
    assert (ours - raw[0][mask]).abs().max() > 1


@pytest.mark.parametrize(
    "change",
    [
        {"vocab_size": 33},
        {"hidden_act": "gelu"},
        {"attention_bias": True},
        {"rope_parameters": {"rope_theta": 500_000.0, "rope_type": "default"}},
    ],
)
def test_another_arithmetic_is_refused(
    reference: Any, tmp_path: Path, change: dict[str, object]
) -> None:
    folder = write("Hugging Face", reference, tmp_path)
    config = json.loads((folder / "config.json").read_text()) | change
    (folder / "config.json").write_text(json.dumps(config))
    named = "rope_theta" if "rope_parameters" in change else next(iter(change))
    with pytest.raises(CheckpointError, match=f"not an ESM-C model: {named}"):
        load_model(folder)


def test_a_missing_tensor_is_named_as_the_authors_name_it(reference: Any, tmp_path: Path) -> None:
    state = native_state(reference.state_dict())
    del state["transformer.blocks.1.attn.layernorm_qkv.1.weight"]
    torch.save(state, tmp_path / "esmc.pth")
    with pytest.raises(CheckpointError) as caught:
        load_model(tmp_path / "esmc.pth")
    assert caught.value.missing == ("transformer.blocks.1.attn.layernorm_qkv.1.weight",)


@pytest.mark.slow
def test_tokens_are_those_of_transformers(record_parity: ParityRecord) -> None:
    theirs = transformers.EsmcTokenizer()
    sequences = nasty_sequences("ACDEFGHIKLMNPQRSTVWY", "XBZUOJ*-.")
    differing = assert_same_tokens(
        build_esmc_tokenizer(),
        lambda text: theirs(text)["input_ids"],
        sequences,
        read_as=str.upper,
    )
    record_parity.tokens(
        "ESM-C",
        REFERENCE,
        sequences=len(sequences),
        differing=differing,
        reason="lower case as upper case",
    )
