"""Nucleotide Transformer in the Hugging Face layout.

Version 1 is compared with transformers. The code of version 2 can't be imported by transformers 5;
its reference here is transformers' `EsmForMaskedLM` with rotary positions, in which the
feed-forward block is replaced by the gated one of the paper, written below in plain PyTorch.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from bioseq.checkpoints import Model, load_model
from bioseq.checkpoints.families.nucleotide_transformer import build_nucleotide_tokenizer
from bioseq.errors import CheckpointError
from tests.parity.nucleotides import RARE, SEQUENCES, as_upper_dna, record_all
from tests.parity.record import ParityRecord
from tests.parity.reference import mixed_batch, perturb
from tests.parity.tokens import NUM_SEQUENCES, assert_same_tokens, nasty_sequences

transformers = pytest.importorskip("transformers")

pytestmark = pytest.mark.parity

DIM, INNER, NUM_LAYERS = 48, 96, 3
VERSIONS = {
    "Nucleotide Transformer v1": {
        "vocab_size": 4105,
        "position_embedding_type": "absolute",
        "max_position_embeddings": 1002,
        "token_dropout": True,
    },
    "Nucleotide Transformer v2": {
        "vocab_size": 4107,
        "position_embedding_type": "rotary",
        "max_position_embeddings": 2050,
        "token_dropout": False,
        "add_bias_fnn": False,
        "tie_word_embeddings": False,
    },
}
REFERENCES = {
    "Nucleotide Transformer v1": f"transformers {transformers.__version__}",
    "Nucleotide Transformer v2": f"transformers {transformers.__version__}'s attention, "
    "gated block written from the paper",
}


class Gated(nn.Module):
    """SwiGLU as in the paper's supplement: the first half of one map gates its second half."""

    def __init__(self) -> None:
        super().__init__()
        self.dense = nn.Linear(DIM, 2 * INNER, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.dense(x)
        gate, value = hidden[..., :INNER], hidden[..., INNER:]
        return gate * torch.sigmoid(gate) * value


@pytest.fixture(scope="module", params=VERSIONS)
def version(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def reference(version: str) -> Any:
    transformers.utils.logging.disable_progress_bar()
    torch.manual_seed(0)
    config = transformers.EsmConfig(
        mask_token_id=2,
        pad_token_id=1,
        hidden_size=DIM,
        num_hidden_layers=NUM_LAYERS,
        num_attention_heads=4,
        intermediate_size=INNER,
        layer_norm_eps=1e-12,
        emb_layer_norm_before=False,
        attn_implementation="eager",
        **VERSIONS[version],
    )
    model: Any = transformers.EsmForMaskedLM(config)
    if version.endswith("v2"):
        for layer in model.esm.encoder.layer:
            layer.intermediate = Gated()
            layer.output.dense = nn.Linear(INNER, DIM, bias=False)
    return perturb(model)


@pytest.fixture(scope="module")
def folder(reference: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("nt")
    reference.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def model(folder: Path) -> Model:
    return load_model(folder)


def test_states_maps_and_logits_are_equal(
    version: str, reference: Any, model: Model, record_parity: ParityRecord
) -> None:
    batch = mixed_batch(model.tokenizer, SEQUENCES, mask="<mask>")
    tokens, mask = batch.padded(1)
    with torch.no_grad():
        theirs = reference(
            tokens, attention_mask=mask.long(), output_hidden_states=True, output_attentions=True
        )
    record_all(
        record_parity,
        version,
        REFERENCES[version],
        model,
        batch,
        states=theirs.hidden_states,
        maps=theirs.attentions,
        logits=theirs.logits,
    )


def test_the_longest_sequence_is_the_authors(version: str, model: Model) -> None:
    assert model.encoder.max_tokens == (1000 if version.endswith("v1") else 2048)


def test_masked_blocks_scale_the_others_in_version_1_alone(version: str, model: Model) -> None:
    batch = mixed_batch(model.tokenizer, [SEQUENCES[0]])
    with torch.no_grad():
        plain = model.encoder(batch, layers=[0]).states[0]
        batch.tokens[3] = model.tokenizer.vocabulary.id("<mask>")
        masked = model.encoder(batch, layers=[0]).states[0]
    assert torch.equal(plain[1], masked[1]) == version.endswith("v2")
    assert torch.equal(plain[3], masked[3]) is False


def test_another_arithmetic_is_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes())
    config = json.loads((folder / "config.json").read_text()) | {"emb_layer_norm_before": True}
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(CheckpointError, match="emb_layer_norm_before is True"):
        load_model(tmp_path)


@pytest.mark.slow
def test_tokens_are_those_of_transformers(
    version: str, tmp_path: Path, record_parity: ParityRecord
) -> None:
    tokenizer = build_nucleotide_tokenizer(int(str(VERSIONS[version]["vocab_size"])))
    vocabulary = tmp_path / "vocab.txt"
    vocabulary.write_text("\n".join(tokenizer.vocabulary.tokens))
    theirs = transformers.EsmTokenizer(str(vocabulary), eos_token=None)
    sequences = nasty_sequences("ACGT", f"{RARE}U")
    differing = assert_same_tokens(
        tokenizer, lambda text: theirs(text)["input_ids"], sequences, read_as=as_upper_dna
    )
    assert len(sequences) == NUM_SEQUENCES
    record_parity.tokens(
        version,
        f"transformers {transformers.__version__}",
        sequences=len(sequences),
        differing=differing,
        reason="lower case as upper case, U as T",
    )
