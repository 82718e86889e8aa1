"""ESM-1b, ESM-1v and ESM-2 in the files of fair-esm, against fair-esm reading the same files."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from bioseq.batch import PackedBatch
from bioseq.checkpoints import Model, load_model
from bioseq.checkpoints.families.esm import build_esm_tokenizer
from bioseq.errors import CheckpointError
from bioseq.prediction.contacts.sequence import attention_contacts
from tests.parity.record import ParityRecord
from tests.parity.reference import (
    mixed_batch,
    perturb,
    real_contacts,
    real_maps,
    real_rows,
)
from tests.parity.tokens import assert_same_tokens, nasty_sequences

esm = pytest.importorskip("esm")
pretrained = pytest.importorskip("esm.pretrained")

pytestmark = pytest.mark.parity

REFERENCE = f"fair-esm {esm.__version__}"
NUM_LAYERS, DIM, NUM_HEADS = 3, 48, 4
LAYERS = tuple(range(NUM_LAYERS + 1))
# fair-esm tells the layouts apart by the beginnings of the names.
FILES = {
    "ESM-1b": "esm1b_t3_tiny.pt",
    "ESM-1v": "esm1v_t3_tiny.pt",
    "ESM-2": "esm2_t3_tiny.pt",
}


def build_esm1(*, has_norm_before: bool) -> tuple[Any, dict[str, Any]]:
    """Builds a model, and what its file holds beside the tensors."""
    options = {"layers": NUM_LAYERS, "embed_dim": DIM, "attention_heads": NUM_HEADS}
    options |= {"ffn_embed_dim": 4 * DIM}
    shared = {"arch": "roberta_large", "max_positions": 1024, "token_dropout": True}
    alphabet = esm.Alphabet.from_architecture("roberta_large")
    args = Namespace(**options, **shared, emb_layer_norm_before=has_norm_before)
    stored = Namespace(**{f"encoder_{k}": v for k, v in options.items()}, **shared)
    return esm.ProteinBertModel(args, alphabet), {"args": stored}


def build_esm2() -> tuple[Any, dict[str, Any]]:
    options = {"encoder_layers": NUM_LAYERS, "encoder_embed_dim": DIM}
    options |= {"encoder_attention_heads": NUM_HEADS, "token_dropout": True, "arch": "esm2"}
    model = esm.ESM2(num_layers=NUM_LAYERS, embed_dim=DIM, attention_heads=NUM_HEADS)
    for layer in model.layers:
        rates: Any = layer.self_attn.rot_emb.inv_freq
        rates.copy_(rates.half())
    return model, {"cfg": {"model": Namespace(**options)}}


def build(kind: str) -> tuple[Any, dict[str, Any]]:
    model, beside = (
        build_esm2() if kind == "ESM-2" else build_esm1(has_norm_before=kind == "ESM-1b")
    )
    with torch.no_grad():  # its start of size 1 makes logits of 30, which float32 rounds by 2e-5
        model.embed_tokens.weight.mul_(0.1)
    return perturb(model), beside


def released_name(name: str) -> str:
    if name.startswith("lm_head."):
        return f"encoder.{name}"
    return name if name.startswith("contact_head.") else f"encoder.sentence_encoder.{name}"


def write_files(kind: str, folder: Path) -> Path:
    """Writes a model as fair-esm releases it: the contact head in a file beside."""
    torch.manual_seed(0)
    model, beside = build(kind)
    state: dict[str, Tensor] = {released_name(k): v for k, v in model.state_dict().items()}
    contacts = {name: state.pop(name) for name in list(state) if name.startswith("contact_head.")}
    path = folder / FILES[kind]
    torch.save({**beside, "model": state}, path)
    if kind != "ESM-1v":
        torch.save({"model": contacts}, folder / f"{path.stem}-contact-regression.pt")
    return path


@pytest.fixture(scope="module", params=FILES)
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def path(kind: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_files(kind, tmp_path_factory.mktemp("fair-esm"))


@pytest.fixture(scope="module")
def reference(path: Path) -> Any:
    with torch.serialization.safe_globals([Namespace]):
        model, _ = pretrained.load_model_and_alphabet_local(path)
    return model.eval()


@pytest.fixture(scope="module")
def model(path: Path) -> Model:
    return load_model(path)


@pytest.fixture(scope="module")
def batch() -> PackedBatch:
    return mixed_batch(build_esm_tokenizer(), mask="<mask>")


@pytest.mark.filterwarnings("ignore:Regression weights not found")
def test_states_logits_maps_and_contacts_are_equal(
    kind: str, reference: Any, model: Model, batch: PackedBatch, record_parity: ParityRecord
) -> None:
    tokens, mask = batch.padded(1)
    lengths = batch.layout.lengths
    with torch.no_grad():
        theirs = reference(tokens, repr_layers=LAYERS, return_contacts=True)
        ours = model.encoder(batch, layers=LAYERS, attentions=True)
        assert model.head is not None
        logits = model.head(ours.states[-1])
    maps = real_maps(theirs["attentions"].unbind(1), lengths)
    hidden = real_rows((theirs["representations"][k] for k in LAYERS), mask)
    record_parity(kind, REFERENCE, "states of all layers", ours.states, hidden)
    record_parity(kind, REFERENCE, "logits", logits, theirs["logits"][mask])
    record_parity(kind, REFERENCE, "attention maps", ours.attentions, maps)
    if kind == "ESM-1v":
        assert model.contacts is None
        return
    with torch.no_grad():
        contacts = attention_contacts(model, batch)
    expected = real_contacts(theirs["contacts"], lengths)
    record_parity(kind, REFERENCE, "contacts", contacts, expected)


def test_the_mask_tokens_row_is_zero_where_fair_esm_zeroes_it(kind: str, model: Model) -> None:
    assert model.head is not None
    row = model.head.output.weight[model.tokenizer.vocabulary.id("<mask>")]
    assert bool((row == 0).all()) == (kind != "ESM-2")


def test_without_the_file_beside_it_a_model_has_no_contact_head(
    kind: str, path: Path, batch: PackedBatch, model: Model, tmp_path: Path
) -> None:
    alone = tmp_path / path.name
    alone.write_bytes(path.read_bytes())
    other = load_model(alone)
    assert other.contacts is None
    with torch.no_grad():
        assert torch.equal(other.encoder(batch).states[0], model.encoder(batch).states[0])


def test_the_name_is_that_of_the_file(path: Path, model: Model) -> None:
    assert model.name == path.stem


def test_a_contact_head_of_another_model_is_named(path: Path, kind: str, tmp_path: Path) -> None:
    if kind == "ESM-1v":
        pytest.skip("has no contact head")
    (tmp_path / path.name).write_bytes(path.read_bytes())
    contacts = {"contact_head.regression.weight": torch.zeros(1, 99)}
    contacts["contact_head.regression.bias"] = torch.zeros(1)
    torch.save({"model": contacts}, tmp_path / f"{path.stem}-contact-regression.pt")
    with pytest.raises(CheckpointError, match=r"contacts\.regression\.weight has shape \[1, 99\]"):
        load_model(tmp_path / path.name)


def test_an_architecture_that_is_not_read_is_named(tmp_path: Path) -> None:
    path = tmp_path / "esm1_t3_tiny.pt"
    torch.save({"args": Namespace(arch="protein_bert_base"), "model": {"w": torch.zeros(1)}}, path)
    with pytest.raises(CheckpointError, match="protein_bert_base"):
        load_model(path)


@pytest.mark.slow
def test_tokens_are_those_of_fair_esm(record_parity: ParityRecord) -> None:
    convert = esm.Alphabet.from_architecture("ESM-1b").get_batch_converter()
    sequences = nasty_sequences("ACDEFGHIKLMNPQRSTVWY", "XBZUO-.")
    sequences += nasty_sequences("ACDEFGHIKLMNPQRSTVWY", "XBZUOJ*-.", count=2_000)
    # fair-esm fails at lower case, J and *.
    spelled = str.maketrans({"J": "<unk>", "*": "<unk>"})
    differing = assert_same_tokens(
        build_esm_tokenizer(),
        lambda text: convert([("", text)])[2][0].tolist(),
        sequences,
        read_as=lambda sequence: sequence.upper().translate(spelled),
    )
    record_parity.tokens(
        "ESM-1b, ESM-1v, ESM-2",
        REFERENCE,
        sequences=len(sequences),
        differing=differing,
        reason="lower case as upper case, each J and each * as one unknown token",
    )
