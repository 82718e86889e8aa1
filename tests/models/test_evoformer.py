"""The Evoformer block and stack: AlphaFold's numbers, training, masks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from bioseq.checkpoints.axial.alphafold_layers import evoformer_rules
from bioseq.checkpoints.keymap import fill
from bioseq.checkpoints.weights import Weights
from bioseq.errors import OptionError
from bioseq.models.evoformer import Evoformer, EvoformerBlock, EvoformerConfig
from bioseq.nn.axial import PairConfig, block_memory

PARITY = 1e-6  # of the largest value
PAIR = PairConfig(dim=16, multiplication_dim=10, head_dim=4)
CONFIGS = {
    "evoformer_iteration": EvoformerConfig(msa_dim=32, head_dim=4, outer_dim=6, pair=PAIR),
    "extra_msa_stack": EvoformerConfig(
        msa_dim=16, head_dim=2, outer_dim=6, column="global", pair=PAIR
    ),
}
TINY = EvoformerConfig(
    num_blocks=2,
    msa_dim=4,
    num_heads=2,
    head_dim=2,
    outer_dim=2,
    transition_factor=2,
    pair=PairConfig(dim=3, multiplication_dim=2, num_heads=2, head_dim=2, transition_factor=2),
)


@pytest.fixture(scope="module")
def reference(data_dir: Path) -> dict[str, Tensor]:
    with np.load(data_dir / "axial" / "alphafold_layers.npz") as arrays:
        return {name: torch.from_numpy(arrays[name]) for name in arrays.files}


def build_tiny(config: EvoformerConfig = TINY) -> Evoformer:
    stack = Evoformer(config).eval()
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in stack.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.5)
    return stack


def draw_tiny(rows: int, length: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    return (
        torch.randn(rows, length, TINY.msa_dim, generator=generator),
        torch.randn(length, length, TINY.pair.dim, generator=generator),
    )


def all_real(rows: int, length: int) -> tuple[Tensor, Tensor]:
    return torch.ones(rows, length).bool(), torch.ones(length, length).bool()


@pytest.mark.parametrize("gradients", [True, False])
@pytest.mark.parametrize("module", CONFIGS)
def test_a_block_gives_alphafold_numbers(
    module: str, gradients: bool, reference: dict[str, Tensor]
) -> None:
    prefix = f"{module}/param/"
    tensors = {k.removeprefix(prefix): v for k, v in reference.items() if k.startswith(prefix)}
    weights = Weights(path=Path(module), names=frozenset(tensors), read=tensors.__getitem__)
    block = EvoformerBlock(CONFIGS[module]).eval()
    fill(nn.ModuleDict({"block": block}), evoformer_rules("block", module), weights)
    inputs = {name: reference[f"{module}/in/{name}"] for name in ("msa", "pair")}
    masks = {f"{name}_mask": reference[f"{module}/in/{name}_mask"].bool() for name in inputs}
    with torch.set_grad_enabled(gradients):
        outputs = block(**inputs, **masks)
    for name, ours in zip(inputs, outputs, strict=True):
        theirs = reference[f"{module}/out/{name}"]
        assert_close(ours, theirs, rtol=0, atol=PARITY * float(theirs.abs().max()))


@pytest.mark.parametrize("column", ["full", "global"])
def test_padded_rows_and_columns_change_nothing(column: str) -> None:
    stack = build_tiny(replace(TINY, column=column))
    msa, pair = draw_tiny(6, 5)
    with torch.no_grad():
        alone = stack(msa[:4, :3], pair[:3, :3], *all_real(4, 3))
        msa_mask = torch.zeros(6, 5, dtype=torch.bool)
        msa_mask[:4, :3] = True
        padded = stack(msa, pair, msa_mask, msa_mask[0, :, None] & msa_mask[0])
    assert_close(padded[0][:4, :3], alone[0], rtol=1e-5, atol=1e-5)
    assert_close(padded[1][:3, :3], alone[1], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("column", ["full", "global"])
def test_the_order_of_the_rows_does_not_matter(column: str) -> None:
    stack = build_tiny(replace(TINY, column=column))
    msa, pair = draw_tiny(5, 4)
    order = torch.tensor([2, 0, 4, 1, 3])
    with torch.no_grad():
        ours, theirs = stack(msa[order], pair, *all_real(5, 4)), stack(msa, pair, *all_real(5, 4))
    assert_close(ours[0], theirs[0][order], rtol=1e-5, atol=1e-5)
    assert_close(ours[1], theirs[1], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("num_bytes", [1, 1000, 10_000])
def test_blocks_of_any_size_give_the_numbers_of_one_piece(num_bytes: int) -> None:
    stack, (msa, pair) = build_tiny(), draw_tiny(7, 6)
    with torch.no_grad():
        whole = stack(msa, pair, *all_real(7, 6))
        with block_memory(num_bytes):
            blocked = stack(msa, pair, *all_real(7, 6))
    for ours, theirs in zip(blocked, whole, strict=True):
        assert_close(ours, theirs, rtol=1e-5, atol=1e-6)


def test_inference_overwrites_its_inputs_only_when_told_to() -> None:
    stack, (msa, pair) = build_tiny(), draw_tiny(3, 4)
    before = msa.clone(), pair.clone()
    with torch.no_grad():
        expected = stack(msa, pair, *all_real(3, 4))
        assert torch.equal(msa, before[0])
        assert torch.equal(pair, before[1])
        ours = stack(msa, pair, *all_real(3, 4), in_place=True)
    assert (ours[0] is msa, ours[1] is pair) == (True, True)
    assert torch.equal(msa, expected[0])
    assert torch.equal(pair, expected[1])


@pytest.mark.parametrize("column", ["full", "global"])
def test_recomputing_activations_changes_no_gradient(column: str) -> None:
    msa, pair = draw_tiny(3, 4)
    gradients = []
    for recompute in (False, True):
        stack = build_tiny(replace(TINY, column=column, recompute=recompute))
        states = stack(msa.requires_grad_(), pair.requires_grad_(), *all_real(3, 4))
        loss = torch.stack([state.square().sum() for state in states]).sum()
        gradients.append(torch.autograd.grad(loss, [msa, pair, *stack.parameters()]))
    for plain, recomputed in zip(*gradients, strict=True):
        assert_close(plain, recomputed)
        assert plain.abs().sum() > 0


def test_recomputing_keeps_less_than_a_tenth_for_the_gradients() -> None:
    def kept(recompute: bool) -> int:
        sizes: list[int] = []

        def pack(tensor: Tensor) -> Tensor:
            sizes.append(tensor.nbytes)
            return tensor

        stack = build_tiny(replace(TINY, recompute=recompute))
        msa, pair = draw_tiny(8, 12)
        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            stack(msa.requires_grad_(), pair.requires_grad_(), *all_real(8, 12))
        return sum(sizes)

    assert kept(recompute=True) < 0.1 * kept(recompute=False)


def test_a_block_has_the_gradient_of_its_numbers() -> None:
    block = build_tiny(replace(TINY, num_blocks=1)).double().blocks[0]
    msa, pair = (x.double().requires_grad_() for x in draw_tiny(2, 3))
    masks = torch.tensor([[True, True, True], [True, False, True]]), torch.ones(3, 3).bool()
    assert torch.autograd.gradcheck(lambda m, z: block(m, z, *masks), (msa, pair))


def test_a_new_stack_leaves_both_representations_as_they_are() -> None:
    msa, pair = draw_tiny(3, 4)
    ours = Evoformer(TINY)(msa, pair, *all_real(3, 4))
    assert_close(ours[0], msa)
    assert_close(ours[1], pair)


def test_training_drops_parts_of_the_updates_and_evaluation_none() -> None:
    stack, (msa, pair) = build_tiny(), draw_tiny(3, 4)
    masks = all_real(3, 4)
    torch.manual_seed(0)
    evaluated = [stack(msa, pair, *masks)[1] for _ in range(2)]
    trained = [stack.train()(msa, pair, *masks)[1] for _ in range(2)]
    assert torch.equal(*evaluated)
    assert not torch.equal(*trained)


def test_a_stack_without_blocks_is_refused() -> None:
    with pytest.raises(OptionError, match="num_blocks is 0"):
        EvoformerConfig(num_blocks=0)
