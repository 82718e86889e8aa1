"""DNABERT 3 to 6 in the Hugging Face layout, against transformers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from bioseq.checkpoints import Model, load_model
from bioseq.checkpoints.families.dnabert import build_dnabert_tokenizer
from bioseq.errors import CheckpointError, OptionError
from tests.parity.nucleotides import RARE, SEQUENCES, as_upper_dna, record_all
from tests.parity.record import ParityRecord
from tests.parity.reference import mixed_batch, perturb
from tests.parity.tokens import NUM_SEQUENCES, assert_same_tokens, nasty_sequences

transformers = pytest.importorskip("transformers")

pytestmark = pytest.mark.parity

REFERENCE = f"transformers {transformers.__version__}"
NUM_LAYERS = 3


def build_reference(k: int) -> Any:
    transformers.utils.logging.disable_progress_bar()
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=5 + 4**k,
        hidden_size=48,
        num_hidden_layers=NUM_LAYERS,
        num_attention_heads=4,
        intermediate_size=96,
        max_position_embeddings=512,
        type_vocab_size=2,
        layer_norm_eps=1e-12,
        attn_implementation="eager",
    )
    return perturb(transformers.BertForMaskedLM(config))


@pytest.fixture(scope="module")
def reference() -> Any:
    return build_reference(3)


@pytest.fixture(scope="module")
def folder(reference: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dnabert")
    reference.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def model(folder: Path) -> Model:
    return load_model(folder)


@pytest.mark.parametrize("k", [3, 4, 5, 6])
def test_states_maps_and_logits_are_equal(
    k: int, tmp_path: Path, record_parity: ParityRecord
) -> None:
    reference = build_reference(k)
    reference.save_pretrained(tmp_path)
    model = load_model(tmp_path)
    batch = mixed_batch(model.tokenizer, SEQUENCES, mask="[MASK]")
    tokens, mask = batch.padded(0)
    with torch.no_grad():
        theirs = reference(
            tokens, attention_mask=mask.long(), output_hidden_states=True, output_attentions=True
        )
    record_all(
        record_parity,
        "DNABERT",
        REFERENCE,
        model,
        batch,
        states=theirs.hidden_states,
        maps=theirs.attentions,
        logits=theirs.logits,
    )


def test_the_authors_own_config_and_older_names_give_the_same_numbers(
    reference: Any, model: Model, tmp_path: Path
) -> None:
    state = {
        name.replace("LayerNorm.weight", "LayerNorm.gamma").replace(
            "LayerNorm.bias", "LayerNorm.beta"
        ): value.clone()
        for name, value in reference.state_dict().items()
    }
    state["bert.embeddings.position_ids"] = torch.arange(512)[None]
    state["bert.pooler.dense.weight"] = torch.zeros(48, 48)
    state["bert.pooler.dense.bias"] = torch.zeros(48)
    torch.save(state, tmp_path / "pytorch_model.bin")
    config = {k: v for k, v in reference.config.to_dict().items() if k != "model_type"}
    (tmp_path / "config.json").write_text(json.dumps(config))
    other = load_model(tmp_path)
    batch = mixed_batch(model.tokenizer, SEQUENCES)
    with torch.no_grad():
        assert torch.equal(other.encoder(batch).states[0], model.encoder(batch).states[0])
    assert other.objective == "masked"


def test_longer_than_the_position_table_is_refused(model: Model) -> None:
    assert model.encoder.max_tokens == 512
    with torch.no_grad():
        model.encoder(mixed_batch(model.tokenizer, ["A" * 512]))
        with pytest.raises(OptionError, match="513"):
            model.encoder(mixed_batch(model.tokenizer, ["A" * 513]))


def test_the_vocabulary_of_the_file_counts(folder: Path, tmp_path: Path) -> None:
    for name in ("config.json", "model.safetensors"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    tokens = list(build_dnabert_tokenizer(3).vocabulary.tokens)
    (tmp_path / "vocab.txt").write_text("\n".join(tokens[:5] + tokens[:4:-1]))
    ids = load_model(tmp_path).tokenizer.encode(["AAAA"]).ids.tolist()
    assert ids == [2, 68, 68, 3]
    (tmp_path / "vocab.txt").write_text("\n".join(tokens[:-1]))
    with pytest.raises(CheckpointError, match="68 tokens, the model has 69"):
        load_model(tmp_path)


def test_another_activation_is_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes())
    config = json.loads((folder / "config.json").read_text()) | {"hidden_act": "relu"}
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(CheckpointError, match="hidden_act is 'relu'"):
        load_model(tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("k", [3, 6])
def test_tokens_are_those_of_transformers(
    k: int, tmp_path: Path, record_parity: ParityRecord
) -> None:
    tokenizer = build_dnabert_tokenizer(k)
    vocabulary = tmp_path / "vocab.txt"
    vocabulary.write_text("\n".join(tokenizer.vocabulary.tokens))
    theirs = transformers.BertTokenizer(str(vocabulary), do_lower_case=False)

    def split(text: str) -> list[int]:
        kmers = (text[start : start + k] for start in range(len(text) - k + 1))
        return theirs(" ".join(kmers))["input_ids"]

    def read_as(sequence: str) -> str:
        # The reference makes no token of fewer than k bases, and two or more of a k-mer with marks.
        text = as_upper_dna(sequence).translate(str.maketrans("*-.", "NNN"))
        return "N" * k if 0 < len(text) < k else text

    sequences = nasty_sequences("ACGT", f"{RARE}U")
    differing = assert_same_tokens(tokenizer, split, sequences, read_as=read_as)
    assert len(sequences) == NUM_SEQUENCES
    record_parity.tokens(
        f"DNABERT-{k}",
        REFERENCE,
        sequences=len(sequences),
        differing=differing,
        reason="lower case as upper case, U as T, a k-mer with a mark or a sequence shorter than k "
        "as one unknown token",
    )
