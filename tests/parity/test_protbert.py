"""ProtBert in the Hugging Face layout, against transformers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from bioseq.checkpoints import Model, load_model
from bioseq.checkpoints.families.protbert import build_protbert_tokenizer
from bioseq.errors import CheckpointError
from tests.parity.nucleotides import record_all
from tests.parity.record import ParityRecord
from tests.parity.reference import mixed_batch, perturb
from tests.parity.tokens import assert_same_tokens, nasty_sequences

transformers = pytest.importorskip("transformers")

pytestmark = pytest.mark.parity

NUM_LAYERS = 3


@pytest.fixture(scope="module")
def reference() -> Any:
    transformers.utils.logging.disable_progress_bar()
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=30,
        hidden_size=48,
        num_hidden_layers=NUM_LAYERS,
        num_attention_heads=4,
        intermediate_size=96,
        max_position_embeddings=400,
        layer_norm_eps=1e-12,
        attn_implementation="eager",
    )
    return perturb(transformers.BertForMaskedLM(config))


@pytest.fixture(scope="module")
def folder(reference: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("protbert")
    reference.save_pretrained(folder)
    (folder / "vocab.txt").write_text("\n".join(build_protbert_tokenizer().vocabulary.tokens))
    return folder


@pytest.fixture(scope="module")
def model(folder: Path) -> Model:
    return load_model(folder)


@torch.no_grad()
def test_states_maps_and_logits_are_equal(
    reference: Any, model: Model, record_parity: ParityRecord
) -> None:
    batch = mixed_batch(model.tokenizer, mask="[MASK]")
    tokens, mask = batch.padded(0)
    theirs = reference(
        tokens, attention_mask=mask.long(), output_hidden_states=True, output_attentions=True
    )
    record_all(
        record_parity,
        "ProtBert",
        f"transformers {transformers.__version__}",
        model,
        batch,
        states=theirs.hidden_states,
        maps=theirs.attentions,
        logits=theirs.logits,
    )


def test_tokens_are_those_of_transformers(folder: Path, model: Model) -> None:
    reference = transformers.BertTokenizer(str(folder / "vocab.txt"), do_lower_case=False)

    def tokens_of(sequence: str) -> list[int]:
        """As the authors' scripts: upper case, UZOB as X, blanks between."""
        text = sequence.upper()
        return reference(" ".join("X" if s in "UZOB" else s for s in text))["input_ids"]

    sequences = nasty_sequences("ACDEFGHIKLMNPQRSTVWY", "XBZUOJ*-.")
    assert_same_tokens(model.tokenizer, tokens_of, sequences)


def test_the_vocabulary_of_the_file_counts_and_must_be_of_residues(
    folder: Path, tmp_path: Path
) -> None:
    for name in ("config.json", "model.safetensors"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    tokens = list(build_protbert_tokenizer().vocabulary.tokens)
    (tmp_path / "vocab.txt").write_text("\n".join([*tokens[:5], tokens[6], tokens[5], *tokens[7:]]))
    assert load_model(tmp_path).tokenizer.encode(["LA"]).ids.tolist() == [2, 6, 5, 3]
    (tmp_path / "vocab.txt").write_text("\n".join([*tokens[:-1], "##x"]))
    with pytest.raises(CheckpointError, match="not that of ProtBert: it holds ##x"):
        load_model(tmp_path)
