"""DNABERT-2 in the layout of its authors.

Its code can't be imported by transformers 5. The reference is transformers' `BertForMaskedLM`
without positions: ALiBi comes in as an attention mask from the distances, with the slopes of Press
et al. written out for twelve heads, and the feed-forward block is replaced by the gated one of the
MosaicBERT paper, written below in plain PyTorch. No row of this comparison saw the authors' code.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import tokenizers
import torch
from safetensors.torch import save_file
from tokenizers import models, pre_tokenizers, processors, trainers
from torch import Tensor, nn

from bioseq.checkpoints import Model, load_model
from bioseq.errors import CheckpointError
from tests.parity.nucleotides import RARE, SEQUENCES, as_upper_dna, record_all
from tests.parity.record import ParityRecord
from tests.parity.reference import mixed_batch, perturb
from tests.parity.tokens import NUM_SEQUENCES, assert_same_tokens, nasty_sequences

transformers = pytest.importorskip("transformers")

pytestmark = pytest.mark.parity

REFERENCE = (
    f"transformers {transformers.__version__}'s attention, ALiBi and gated block written from the "
    "papers"
)
DIM, INNER, NUM_LAYERS, VOCABULARY = 48, 96, 3, 128
SLOPES = [2.0**-i for i in range(1, 9)] + [2.0 ** -(i + 0.5) for i in range(4)]
SPECIALS = ["[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]"]


class Gated(nn.Module):
    """GLU with exact GELU: the first half of one map gates its second half."""

    def __init__(self) -> None:
        super().__init__()
        self.dense = nn.Linear(DIM, 2 * INNER, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        hidden = self.dense(x)
        gate, value = hidden[..., :INNER], hidden[..., INNER:]
        return gate * (1 + torch.erf(gate / 2**0.5)) / 2 * value


@pytest.fixture(scope="module")
def reference() -> Any:
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=VOCABULARY,
        hidden_size=DIM,
        num_hidden_layers=NUM_LAYERS,
        num_attention_heads=len(SLOPES),
        intermediate_size=INNER,
        layer_norm_eps=1e-12,
        attn_implementation="eager",
    )
    model: Any = transformers.BertForMaskedLM(config)
    for layer in model.bert.encoder.layer:
        layer.intermediate = Gated()
    perturb(model)
    with torch.no_grad():
        model.bert.embeddings.position_embeddings.weight.zero_()
    return model


def mosaic_name(name: str) -> str:
    for theirs, mosaic in (
        ("intermediate.dense", "mlp.gated_layers"),
        ("attention.output", "attention.OUTPUT"),
        ("output.dense", "mlp.wo"),
        ("output.LayerNorm", "mlp.layernorm"),
        ("attention.OUTPUT", "attention.output"),
    ):
        name = name.replace(theirs, mosaic)
    return name


def mosaic_tensors(reference: Any) -> dict[str, Tensor]:
    """The reference's tensors under MosaicBERT's names, projections joined."""
    state = {k: v for k, v in reference.state_dict().items() if "position_embeddings" not in k}
    found = {mosaic_name(k): v.clone() for k, v in state.items() if ".attention.self." not in k}
    for layer in range(NUM_LAYERS):
        name = f"bert.encoder.layer.{layer}.attention.self"
        for part in ("weight", "bias"):
            parts = [state[f"{name}.{kind}.{part}"] for kind in ("query", "key", "value")]
            found[f"{name}.Wqkv.{part}"] = torch.cat(parts)
    return found


@pytest.fixture(scope="module")
def definition() -> str:
    """A tokenizer laid out as that of DNABERT-2, with merges learned here."""
    tokenizer: Any = tokenizers.Tokenizer(models.BPE(unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY, special_tokens=SPECIALS, show_progress=False
    )
    generator = torch.Generator().manual_seed(0)
    draws = torch.randint(4, (400, 200), generator=generator).tolist()
    tokenizer.train_from_iterator(["".join("ACGT"[i] for i in row) for row in draws], trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 1), ("[SEP]", 2)]
    )
    assert tokenizer.get_vocab_size() == VOCABULARY
    return tokenizer.to_str()


@pytest.fixture(scope="module")
def folder(reference: Any, definition: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dnabert2")
    save_file(mosaic_tensors(reference), folder / "model.safetensors")
    config = reference.config.to_dict() | {"alibi_starting_size": 512}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "tokenizer.json").write_text(definition)
    return folder


@pytest.fixture(scope="module")
def model(folder: Path) -> Model:
    return load_model(folder)


def test_states_maps_and_logits_are_equal(
    reference: Any, model: Model, record_parity: ParityRecord
) -> None:
    batch = mixed_batch(model.tokenizer, SEQUENCES, mask="[MASK]")
    tokens, mask = batch.padded(3)
    place = torch.arange(tokens.shape[1])
    distance = (place[:, None] - place[None, :]).abs().float()
    bias = -torch.tensor(SLOPES)[:, None, None] * distance
    seen = torch.where(mask[:, None, None, :], bias, torch.finfo(torch.float32).min)
    with torch.no_grad():
        theirs = reference(
            tokens, attention_mask=seen, output_hidden_states=True, output_attentions=True
        )
    record_all(
        record_parity,
        "DNABERT-2",
        REFERENCE,
        model,
        batch,
        states=theirs.hidden_states,
        maps=theirs.attentions,
        logits=theirs.logits,
    )


def test_no_length_is_refused(model: Model) -> None:
    assert model.encoder.max_tokens is None


def test_a_model_without_its_merges_is_refused(folder: Path, tmp_path: Path) -> None:
    for name in ("config.json", "model.safetensors"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    with pytest.raises(CheckpointError, match=r"tokenizer\.json: no such file"):
        load_model(tmp_path)
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(CheckpointError, match=r"tokenizer\.json.*get it again"):
        load_model(tmp_path)


@pytest.mark.slow
def test_tokens_are_those_of_tokenizers(
    model: Model, definition: str, record_parity: ParityRecord
) -> None:
    theirs = tokenizers.Tokenizer.from_str(definition)
    sequences = nasty_sequences("ACGT", f"{RARE}U")
    differing = assert_same_tokens(
        model.tokenizer, lambda text: theirs.encode(text).ids, sequences, read_as=as_upper_dna
    )
    assert len(sequences) == NUM_SEQUENCES
    record_parity.tokens(
        "DNABERT-2",
        f"tokenizers {tokenizers.__version__}, merges learned in the test",
        sequences=len(sequences),
        differing=differing,
        reason="lower case as upper case, U as T",
    )
