"""What holds for every axial layer: gradients, masks, blocks, order of the rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close
from torch.utils._python_dispatch import TorchDispatchMode

from bioseq.nn.axial import (
    MSAColumnAttention,
    MSAGlobalColumnAttention,
    MSARowAttention,
    OuterProductMean,
    PairBlock,
    PairConfig,
    RecyclingEmbedder,
    RelativePosition,
    Transition,
    TriangleAttention,
    TriangleMultiplication,
    add_updates,
    block_memory,
)

MSA_DIM, PAIR_DIM = 4, 3
HEADS = {"num_heads": 2, "head_dim": 2}
MSA_LAYERS: dict[str, Callable[[], nn.Module]] = {
    "row": lambda: MSARowAttention(MSA_DIM, PAIR_DIM, **HEADS),
    "column": lambda: MSAColumnAttention(MSA_DIM, **HEADS),
    "global column": lambda: MSAGlobalColumnAttention(MSA_DIM, **HEADS),
    "outer product": lambda: OuterProductMean(MSA_DIM, PAIR_DIM, outer_dim=2),
}
PAIR_LAYERS: dict[str, Callable[[], nn.Module]] = {
    "outgoing": lambda: TriangleMultiplication(PAIR_DIM, hidden_dim=2, outgoing=True),
    "incoming": lambda: TriangleMultiplication(PAIR_DIM, hidden_dim=2, outgoing=False),
    "starting": lambda: TriangleAttention(PAIR_DIM, starting=True, **HEADS),
    "ending": lambda: TriangleAttention(PAIR_DIM, starting=False, **HEADS),
}


def build(make: Callable[[], nn.Module]) -> nn.Module:
    """Builds a layer without the constants that gates and outputs start from."""
    layer = make().eval()
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    return layer


def draw(*shape: int, seed: int = 1) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def msa_inputs(name: str, rows: int, length: int) -> tuple[Tensor, ...]:
    msa = draw(rows, length, MSA_DIM)
    return (msa, draw(length, length, PAIR_DIM)) if name == "row" else (msa,)


def random_mask(*shape: int) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(2)) > 0.3


@pytest.mark.parametrize("name", MSA_LAYERS)
def test_an_msa_layer_has_the_gradient_of_its_numbers(name: str) -> None:
    layer = build(MSA_LAYERS[name]).double()
    inputs = [x.double().requires_grad_() for x in msa_inputs(name, 3, 3)]
    parameters = list(layer.parameters())
    assert torch.autograd.gradcheck(
        lambda *x: layer(*x[: len(inputs)], random_mask(3, 3)), (*inputs, *parameters)
    )


@pytest.mark.parametrize("name", PAIR_LAYERS)
def test_a_triangle_layer_has_the_gradient_of_its_numbers(name: str) -> None:
    layer = build(PAIR_LAYERS[name]).double()
    pair = draw(3, 3, PAIR_DIM).double().requires_grad_()
    parameters = list(layer.parameters())
    assert torch.autograd.gradcheck(lambda x, *_: layer(x, random_mask(3, 3)), (pair, *parameters))


def test_the_transition_and_the_embedders_have_the_gradient_of_their_numbers() -> None:
    transition = build(lambda: Transition(PAIR_DIM, factor=2)).double()
    pair = draw(3, 3, PAIR_DIM).double().requires_grad_()
    parameters = list(transition.parameters())
    assert torch.autograd.gradcheck(lambda x, *_: transition(x), (pair, *parameters))
    relative = build(lambda: RelativePosition(PAIR_DIM, max_distance=2)).double()
    index = torch.tensor([3, 4, 9])
    parameters = list(relative.parameters())
    assert torch.autograd.gradcheck(lambda *_: relative(index), parameters)
    recycling = build(lambda: RecyclingEmbedder(MSA_DIM, PAIR_DIM)).double()
    beta = draw(3, 3).double() * 10
    parameters = [p for name, p in recycling.named_parameters() if "row_norm" not in name]
    assert torch.autograd.gradcheck(lambda x, *_: recycling(x, beta), (pair, *parameters))


@pytest.mark.parametrize("num_bytes", [1, 300, 2000])
@pytest.mark.parametrize("name", [*MSA_LAYERS, *PAIR_LAYERS])
def test_blocks_of_any_size_give_the_numbers_of_one_piece(name: str, num_bytes: int) -> None:
    if name in MSA_LAYERS:
        layer, inputs, shape = build(MSA_LAYERS[name]), msa_inputs(name, 6, 5), (6, 5)
    else:
        layer, inputs, shape = build(PAIR_LAYERS[name]), (draw(5, 5, PAIR_DIM),), (5, 5)
    mask = random_mask(*shape)
    with torch.no_grad(), block_memory(2**30):
        whole = layer(*inputs, mask)
    with torch.no_grad(), block_memory(num_bytes):
        assert_close(layer(*inputs, mask), whole, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", MSA_LAYERS)
def test_padded_rows_and_columns_change_nothing(name: str) -> None:
    layer = build(MSA_LAYERS[name])
    inputs = msa_inputs(name, 6, 5)
    alone = layer(*(x[:4, :3] if x is inputs[0] else x[:3, :3] for x in inputs), all_real(4, 3))
    mask = torch.zeros(6, 5, dtype=torch.bool)
    mask[:4, :3] = True
    padded = layer(*inputs, mask)
    kept = padded[:3, :3] if name == "outer product" else padded[:4, :3]
    assert_close(kept, alone, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", PAIR_LAYERS)
def test_padded_pairs_change_nothing(name: str) -> None:
    layer, pair = build(PAIR_LAYERS[name]), draw(5, 5, PAIR_DIM)
    mask = torch.zeros(5, 5, dtype=torch.bool)
    mask[:3, :3] = True
    alone = layer(pair[:3, :3], all_real(3, 3))
    assert_close(layer(pair, mask)[:3, :3], alone, rtol=1e-5, atol=1e-5)


def all_real(*shape: int) -> Tensor:
    return torch.ones(shape, dtype=torch.bool)


@pytest.mark.parametrize("name", MSA_LAYERS)
def test_the_order_of_the_rows_does_not_matter(name: str) -> None:
    layer, (msa, *pair) = build(MSA_LAYERS[name]), msa_inputs(name, 6, 5)
    order = torch.tensor([3, 0, 5, 1, 4, 2])
    mask = random_mask(6, 5)
    shuffled, expected = layer(msa[order], *pair, mask[order]), layer(msa, *pair, mask)
    assert_close(shuffled, expected if name == "outer product" else expected[order])


def test_incoming_is_outgoing_of_the_transposed_pairs() -> None:
    outgoing, incoming = build(PAIR_LAYERS["outgoing"]), build(PAIR_LAYERS["incoming"])
    incoming.load_state_dict(outgoing.state_dict())
    pair, mask = draw(5, 5, PAIR_DIM), random_mask(5, 5)
    sides = [p for n, p in incoming.named_parameters() if n.startswith("projection")]
    with torch.no_grad():
        for side in sides:  # the factor of i is that of j in the transposed product
            left, right = side.clone().chunk(2)
            side.copy_(torch.cat([right, left]))
    transposed = outgoing(pair.transpose(0, 1), mask.T).transpose(0, 1)
    assert_close(incoming(pair, mask), transposed)


class LargestTensor(TorchDispatchMode):
    """Watches how large the results of all operations are, in bytes."""

    nbytes = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        for value in result if isinstance(result, tuple | list) else [result]:
            if isinstance(value, Tensor):
                self.nbytes = max(self.nbytes, value.untyped_storage().nbytes())
        return result


@pytest.mark.parametrize("padded", [False, True])
def test_no_tensor_grows_with_rows_times_length_squared(padded: bool) -> None:
    rows, length = 24, 40
    row = build(lambda: MSARowAttention(8, 8, num_heads=4, head_dim=4))
    pairs = build(lambda: PairBlock(PairConfig(dim=8, multiplication_dim=8, head_dim=4)))
    msa, pair = draw(rows, length, 8), draw(length, length, 8)
    mask, pair_mask = all_real(rows, length), all_real(length, length)
    if padded:
        mask[-1], pair_mask[:, -1], pair_mask[-1] = False, False, False
    with torch.no_grad(), block_memory(2**15), LargestTensor() as largest:
        row(msa, pair, mask)
        pairs(pair, pair_mask)
    assert largest.nbytes == max(msa.nbytes, pair.nbytes)


def test_an_update_is_added_in_place_without_gradients_only() -> None:
    x, update = draw(4, 3, 2), draw(4, 3, 2, seed=3)
    expected = x + update
    with torch.enable_grad():
        before = x.clone()
        assert torch.equal(add_updates(x, update.split(2)), expected)
        assert torch.equal(x, before)
    with torch.no_grad():
        assert add_updates(x, update.split(2)) is x
    assert torch.equal(x, expected)


@pytest.mark.parametrize("axis", [0, 1])
def test_dropout_drops_the_same_parts_along_the_shared_axis(axis: int) -> None:
    torch.manual_seed(0)
    zeros, ones = torch.zeros(50, 60, 2), torch.ones(50, 60, 2)
    dropped = add_updates(zeros, [ones], dropout=0.25, shared_axis=axis)
    assert (dropped == dropped.narrow(axis, 0, 1)).all()
    assert dropped.unique().tolist() == pytest.approx([0, 4 / 3])
    assert dropped.mean().item() == pytest.approx(1, abs=0.25)
