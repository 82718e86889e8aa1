"""RNA-FM in its authors' file, against fair-esm's ESM-1b over the bases, of which it is a copy."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import Any

import pytest
import torch

from bioseq.checkpoints import Model, load_model
from bioseq.checkpoints.families.rna_fm import build_rna_fm_tokenizer
from tests.parity.nucleotides import RARE, SEQUENCES, record_all
from tests.parity.record import ParityRecord
from tests.parity.reference import mixed_batch, perturb
from tests.parity.tokens import NUM_SEQUENCES, assert_same_tokens, nasty_sequences

esm = pytest.importorskip("esm")

pytestmark = pytest.mark.parity

REFERENCE = f"fair-esm {esm.__version__}, its ESM-1b over RNA-FM's vocabulary"
NUM_LAYERS, DIM, NUM_HEADS = 3, 48, 4
OPTIONS = {"layers": NUM_LAYERS, "embed_dim": DIM, "attention_heads": NUM_HEADS}
OPTIONS |= {"ffn_embed_dim": 2 * DIM}
SHARED = {"arch": "roberta_large", "max_positions": 1024, "token_dropout": True}


def build_alphabet() -> Any:
    return esm.Alphabet(
        standard_toks=list("ACGURYKMSWBDHVN-"),
        prepend_toks=("<cls>", "<pad>", "<eos>", "<unk>"),
        append_toks=("<mask>",),
        prepend_bos=True,
        append_eos=True,
    )


@pytest.fixture(scope="module")
def reference() -> Any:
    torch.manual_seed(0)
    args = Namespace(**OPTIONS, **SHARED, emb_layer_norm_before=True)
    model = esm.ProteinBertModel(args, build_alphabet())
    with torch.no_grad():  # its start of size 1 makes logits of 30, which float32 rounds by 2e-5
        model.embed_tokens.weight.mul_(0.1)
    return perturb(model)


@pytest.fixture(scope="module")
def path(reference: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("rna-fm") / "RNA-FM_pretrained.pth"
    tensors = {
        f"encoder.{k}" if k.startswith("lm_head.") else f"encoder.sentence_encoder.{k}": v
        for k, v in reference.state_dict().items()
        if not k.startswith("contact_head.")
    }
    stored = Namespace(**{f"encoder_{k}": v for k, v in OPTIONS.items()}, **SHARED)
    torch.save({"args": stored, "model": tensors}, path)
    return path


@pytest.fixture(scope="module")
def model(path: Path) -> Model:
    return load_model(path)


def test_states_maps_and_logits_are_equal(
    reference: Any, model: Model, record_parity: ParityRecord
) -> None:
    with torch.no_grad():  # as the authors' code does when it loads the file
        reference.embed_tokens.weight[build_alphabet().mask_idx] = 0
    batch = mixed_batch(model.tokenizer, SEQUENCES, mask="<mask>")
    tokens, _ = batch.padded(1)
    with torch.no_grad():
        theirs = reference(tokens, repr_layers=range(NUM_LAYERS + 1), need_head_weights=True)
    record_all(
        record_parity,
        "RNA-FM",
        REFERENCE,
        model,
        batch,
        states=[theirs["representations"][k] for k in range(NUM_LAYERS + 1)],
        maps=theirs["attentions"].unbind(1),
        logits=theirs["logits"],
    )


def test_it_reads_rna_up_to_its_position_table(model: Model) -> None:
    assert model.molecule == "rna"
    assert model.encoder.max_tokens == 1024
    assert model.objective == "masked"


@pytest.mark.slow
def test_tokens_are_those_of_its_vocabulary(record_parity: ParityRecord) -> None:
    alphabet = build_alphabet()

    def read(text: str) -> list[int]:
        return [alphabet.cls_idx, *map(alphabet.get_idx, text), alphabet.eos_idx]

    sequences = nasty_sequences("ACGU", f"{RARE}T")
    differing = assert_same_tokens(
        build_rna_fm_tokenizer(),
        read,
        sequences,
        read_as=lambda sequence: sequence.upper().replace("T", "U"),
    )
    assert len(sequences) == NUM_SEQUENCES
    record_parity.tokens(
        "RNA-FM",
        REFERENCE,
        sequences=len(sequences),
        differing=differing,
        reason="lower case as upper case, T as U",
    )
