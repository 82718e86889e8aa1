"""The MSA Transformer has the original's numbers, and one alignment's do not depend on others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from bioseq.checkpoints import Model, load_model
from bioseq.errors import OptionError
from bioseq.models import MSATransformer, MSATransformerConfig, Padding
from bioseq.nn.axial import block_memory
from bioseq.prediction.contacts.transformer import row_attention_contacts

LAYERS = (0, 1, 2, 3)
PAD = 1
BOUND = 1e-6


@pytest.fixture(scope="module")
def model(data_dir: Path) -> Model:
    return load_model(data_dir / "msa_transformer" / "tiny.pt")


@pytest.fixture(scope="module")
def reference(data_dir: Path) -> dict[str, Tensor]:
    with np.load(data_dir / "msa_transformer" / "tiny.npz") as file:
        return {name: torch.from_numpy(file[name]) for name in file.files}


def assert_equal(ours: Tensor, theirs: Tensor) -> None:
    assert ours.shape == theirs.shape
    assert (ours - theirs).abs().max() <= BOUND * theirs.abs().max()


def contacts_of(model: Model, tokens: Tensor, padding: Padding | None = None) -> Tensor:
    assert model.contacts is not None
    return row_attention_contacts(model.alignment_encoder, model.contacts, tokens, padding=padding)


def crop(tokens: Tensor) -> Tensor:
    """Takes off the padding of one alignment of a batch."""
    return tokens[: int((tokens[:, 0] != PAD).sum()), : int((tokens[0] != PAD).sum())]


@pytest.mark.parametrize("case", ["single", "short"])
@torch.no_grad()
def test_states_maps_logits_and_contacts_are_the_originals(
    model: Model, reference: dict[str, Tensor], case: str
) -> None:
    tokens = reference[f"{case}/tokens"][0]
    states = model.encoder(tokens, layers=LAYERS)
    for layer in LAYERS:
        assert_equal(states[layer], reference[f"{case}/repr{layer}"][0])
    maps = [o.attention for o in model.alignment_encoder.outputs(tokens) if o.attention is not None]
    assert_equal(torch.stack(maps), reference[f"{case}/row_attentions"][0])
    assert model.head is not None
    logits = model.head(states[-1].flatten(0, 1)).reshape(*tokens.shape, -1)
    assert_equal(logits, reference[f"{case}/logits"][0])
    assert_equal(contacts_of(model, tokens), reference[f"{case}/contacts"][0])


@pytest.mark.parametrize("member", [0, 1])
@torch.no_grad()
def test_padding_gives_the_originals_numbers_for_a_batch(
    model: Model, reference: dict[str, Tensor], member: int
) -> None:
    batch = reference["batch/tokens"]
    tokens = crop(batch[member])
    padding = Padding(depth=batch.shape[1], num_tokens=batch.shape[2])
    states = model.encoder(tokens, layers=LAYERS, padding=padding)
    rows, columns = tokens.shape
    for layer in LAYERS:
        assert_equal(states[layer], reference[f"batch/repr{layer}"][member, :rows, :columns])
    assert_equal(contacts_of(model, tokens, padding), reference["batch/contacts"][member])


@torch.no_grad()
def test_the_batch_of_the_original_moves_its_numbers_and_not_ours(
    model: Model, reference: dict[str, Tensor]
) -> None:
    alone = crop(reference["batch/tokens"][1])
    assert torch.equal(alone, reference["short/tokens"][0])
    own, theirs = contacts_of(model, alone), reference["batch/contacts"][1]
    assert_equal(own, reference["short/contacts"][0])
    assert (own - theirs[: len(own), : len(own)]).abs().max() > 0.01


@pytest.mark.parametrize("num_bytes", [1, 4_000, 10**9])
@torch.no_grad()
def test_the_block_memory_changes_no_number(
    model: Model, reference: dict[str, Tensor], num_bytes: int
) -> None:
    tokens = reference["single/tokens"][0]
    with block_memory(num_bytes):
        assert_close(model.encoder(tokens)[0], reference["single/repr3"][0], rtol=1e-5, atol=1e-5)
        assert_close(contacts_of(model, tokens), reference["single/contacts"][0])


@torch.no_grad()
def test_the_order_of_the_other_rows_only_moves_their_embedding(model: Model) -> None:
    torch.manual_seed(0)
    encoder = MSATransformer(model.encoder.config).eval()
    encoder.embedding.rows.weight.zero_()  # then nothing tells the number of a row
    tokens = torch.randint(4, 30, (5, 9))
    order = torch.tensor([0, 3, 1, 4, 2])
    assert_close(encoder(tokens[order])[0], encoder(tokens)[0][order], rtol=1e-4, atol=1e-5)


def test_gradients_are_those_of_differences() -> None:
    torch.manual_seed(0)
    config = MSATransformerConfig(
        vocabulary_size=8,
        dim=4,
        num_layers=1,
        num_heads=2,
        feed_forward_dim=6,
        max_tokens=6,
        max_depth=4,
        depth_dim=4,
    )
    encoder = MSATransformer(config).double()
    tokens = torch.randint(0, 8, (3, 5))

    def run(weight: Tensor) -> Tensor:
        return torch.func.functional_call(encoder, {"embedding.tokens.weight": weight}, tokens)[0]

    weight = encoder.embedding.tokens.weight.detach().clone().requires_grad_()
    assert torch.autograd.gradcheck(run, (weight,))


@pytest.mark.parametrize(
    ("shape", "message"), [((1025, 3), "depth of the alignment is 1025"), ((2, 65), "to 64")]
)
def test_an_alignment_beyond_the_limits_is_refused(
    model: Model, shape: tuple[int, int], message: str
) -> None:
    with pytest.raises(OptionError, match=message):
        model.encoder(torch.full(shape, 5))


@pytest.mark.parametrize("layer", [4, -5])
def test_a_layer_that_does_not_exist_is_refused(model: Model, layer: int) -> None:
    with pytest.raises(OptionError, match="0 to 3"):
        model.encoder(torch.full((2, 3), 5), layers=(layer,))
