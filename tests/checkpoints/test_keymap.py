from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from bioseq.checkpoints.keymap import Ignored, Rule, concatenate, fill, transpose
from bioseq.checkpoints.weights import Weights
from bioseq.errors import CheckpointError

RULES = (
    Rule("{layer}.weight", ("block.{layer}.q", "block.{layer}.k"), concatenate),
    Rule("{layer}.bias", ("block.{layer}.b",)),
    Ignored("block.{layer}.counter", "counts training steps"),
)


def make_model() -> nn.Sequential:
    return nn.Sequential(nn.Linear(3, 4), nn.Linear(3, 4))


def make_tensors() -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(0)
    tensors = {}
    for layer in range(2):
        tensors[f"block.{layer}.q"] = torch.randn(2, 3, generator=generator)
        tensors[f"block.{layer}.k"] = torch.randn(2, 3, generator=generator)
        tensors[f"block.{layer}.b"] = torch.randn(4, generator=generator)
    return tensors


def as_weights(tensors: dict[str, Tensor], *more_names: str) -> Weights:
    names = frozenset([*tensors, *more_names])
    return Weights(path=Path("weights"), names=names, read=tensors.__getitem__)


def fill_from(
    model: nn.Module, tensors: dict[str, Tensor], rules: Sequence[Rule | Ignored] = RULES
) -> None:
    fill(model, rules, as_weights(tensors))


def test_every_layer_gets_its_own_tensors_in_the_order_of_the_rule() -> None:
    model, tensors = make_model(), make_tensors()
    fill_from(model, tensors)
    state = model.state_dict()
    for layer in range(2):
        q, k = tensors[f"block.{layer}.q"], tensors[f"block.{layer}.k"]
        torch.testing.assert_close(state[f"{layer}.weight"], torch.cat([q, k]))
        torch.testing.assert_close(state[f"{layer}.bias"], tensors[f"block.{layer}.b"])


def test_a_missing_tensor_is_named_and_nothing_is_filled() -> None:
    model, tensors = make_model(), make_tensors()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    del tensors["block.1.k"]
    with pytest.raises(CheckpointError, match=r"missing: block\.1\.k") as caught:
        fill_from(model, tensors)
    assert caught.value.missing == ("block.1.k",)
    assert caught.value.unexpected == ("block.1.q",)
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name])


def test_a_parameter_without_a_rule_is_missing() -> None:
    with pytest.raises(CheckpointError) as caught:
        fill_from(nn.Linear(3, 4), {})
    assert caught.value.missing == ("weight", "bias")


def test_a_foreign_tensor_that_nothing_uses_is_unexpected() -> None:
    tensors = make_tensors() | {"block.2.q": torch.zeros(2, 3), "pooler": torch.zeros(1)}
    with pytest.raises(CheckpointError) as caught:
        fill_from(make_model(), tensors)
    assert caught.value.unexpected == ("block.2.q", "pooler")


def test_an_ignored_tensor_is_never_read() -> None:
    tensors = make_tensors()
    weights = as_weights(tensors, "block.0.counter", "block.17.counter")
    fill(make_model(), RULES, weights)


def test_a_layer_stands_for_a_number_only() -> None:
    tensors = make_tensors() | {"block.first.counter": torch.zeros(1)}
    with pytest.raises(CheckpointError) as caught:
        fill_from(make_model(), tensors)
    assert caught.value.unexpected == ("block.first.counter",)


def test_a_dot_in_a_rule_stands_for_a_dot_only() -> None:
    tensors = make_tensors() | {"block.0xcounter": torch.zeros(1)}
    with pytest.raises(CheckpointError) as caught:
        fill_from(make_model(), tensors)
    assert caught.value.unexpected == ("block.0xcounter",)


@pytest.mark.parametrize("shape", [(1,), (5,), (1, 4), ()])
def test_a_shape_that_would_only_broadcast_is_an_error(shape: tuple[int, ...]) -> None:
    tensors = make_tensors() | {"block.0.b": torch.zeros(shape)}
    with pytest.raises(CheckpointError, match=r"0\.bias has shape .*the model has \[4\]"):
        fill_from(make_model(), tensors)


def test_the_first_rule_whose_tensors_are_there_counts() -> None:
    rules = (Rule("weight", ("own",)), Rule("weight", ("tied",)), Ignored("tied", "tied"))
    model = nn.Linear(1, 1, bias=False)
    fill_from(model, {"tied": torch.full((1, 1), 2.0)}, rules)
    assert model.weight.item() == 2
    fill_from(model, {"tied": torch.full((1, 1), 2.0), "own": torch.full((1, 1), 3.0)}, rules)
    assert model.weight.item() == 3


def test_one_tensor_can_fill_two_parameters() -> None:
    rules = (Rule("0.weight", ("table",)), Rule("1.weight", ("table",)))
    model = nn.Sequential(nn.Linear(2, 2, bias=False), nn.Linear(2, 2, bias=False))
    fill_from(model, {"table": torch.eye(2)}, rules)
    assert torch.equal(model.state_dict()["0.weight"], model.state_dict()["1.weight"])


def test_an_optional_buffer_keeps_its_own_value() -> None:
    model = nn.BatchNorm1d(1, affine=False)
    rules = [Rule(name, ("theirs",), optional=True) for name in model.state_dict()]
    fill_from(model, {}, rules)
    assert model.state_dict()["running_var"].item() == 1


def test_a_half_precision_file_fills_a_float_model() -> None:
    model, tensors = make_model(), make_tensors()
    fill_from(model, {name: value.half() for name, value in tensors.items()})
    assert model.state_dict()["0.bias"].dtype is torch.float32
    torch.testing.assert_close(model.state_dict()["0.bias"], tensors["block.0.b"].half().float())


def test_transpose_turns_input_by_output_round() -> None:
    model = nn.Linear(3, 2, bias=False)
    stored = torch.arange(6.0).reshape(3, 2)
    fill_from(model, {"w": stored}, (Rule("weight", ("w",), transpose),))
    assert torch.equal(model.weight, stored.T)


def test_a_model_without_memory_is_made_in_the_format_asked_for() -> None:
    with torch.device("meta"):
        model = make_model()
    tensors = make_tensors()
    fill(model, RULES, as_weights(tensors), dtype=torch.bfloat16)
    assert {p.dtype for p in model.parameters()} == {torch.bfloat16}
    assert torch.equal(model.state_dict()["1.bias"], tensors["block.1.b"].bfloat16())


def test_a_filled_parameter_is_no_view_of_what_was_read() -> None:
    model, tensors = nn.Linear(2, 2, bias=False), {"w": torch.eye(2)}
    fill_from(model, tensors, (Rule("weight", ("w",)),))
    tensors["w"].zero_()
    assert torch.equal(model.weight, torch.eye(2))
