"""Key maps: tables that say which of a foreign file's tensors fills which of our parameters.

A table is data; `fill` is the only engine. It lets nothing pass in silence: every foreign tensor
is used or named as ignored, and every parameter is filled.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from bioseq.checkpoints.weights import Weights
from bioseq.errors import CheckpointError

_LAYER = "{layer}"


def concatenate(*tensors: Tensor) -> Tensor:
    """Joins tensors along the first axis: separate projections into one."""
    return torch.cat(tensors)


def transpose(tensor: Tensor) -> Tensor:
    """Swaps the axes of a matrix stored as input by output."""
    return tensor.T


def keep(tensor: Tensor) -> Tensor:
    """Takes a tensor as it is."""
    return tensor


@dataclass(frozen=True)
class Rule:
    """One of our parameters and the foreign tensors that make it.

    Several rules may name the same parameter: the first whose foreign tensors are all there counts.

    Args:
        ours: Name in our model; `{layer}` stands for any layer number.
        foreign: Names in the file, in the order that `transform` takes them; with the same layer.
        transform: Makes our tensor of theirs.
        optional: The model's own value stands where the file has none; for buffers only.
    """

    ours: str
    foreign: tuple[str, ...]
    transform: Callable[..., Tensor] = keep
    optional: bool = False


@dataclass(frozen=True)
class Ignored:
    """Foreign tensors that no parameter needs.

    Args:
        foreign: Name in the file; `{layer}` stands for any layer number.
        reason: Why nothing is lost.
    """

    foreign: str
    reason: str


def pair(ours: str, foreign: str) -> tuple[Rule, Rule]:
    """Returns the rules for weight and bias of one linear map or norm."""
    return (
        Rule(f"{ours}.weight", (f"{foreign}.weight",)),
        Rule(f"{ours}.bias", (f"{foreign}.bias",)),
    )


def norm(ours: str, foreign: str) -> tuple[Rule, ...]:
    """Returns the rules for a norm, which older files spell gamma and beta."""
    old = (
        Rule(f"{ours}.weight", (f"{foreign}.gamma",)),
        Rule(f"{ours}.bias", (f"{foreign}.beta",)),
    )
    return (*pair(ours, foreign), *old)


def joined(
    ours: str,
    foreign: str,
    names: Sequence[str],
    transform: Callable[..., Tensor] = concatenate,
) -> tuple[Rule, Rule]:
    """Returns the rules for one linear map that a file holds in parts.

    Args:
        ours: Name in our model.
        foreign: Where the parts stand in the file.
        names: Their names there, in the order that `transform` takes them.
        transform: Makes one weight, or one bias, of theirs.
    """
    weight, bias = (
        Rule(f"{ours}.{part}", tuple(f"{foreign}.{name}.{part}" for name in names), transform)
        for part in ("weight", "bias")
    )
    return weight, bias


def fill(
    model: nn.Module,
    rules: Sequence[Rule | Ignored],
    weights: Weights,
    *,
    dtype: torch.dtype = torch.float32,
) -> None:
    """Fills a model from foreign tensors, one parameter at a time.

    The model may be on the meta device, where it takes no memory: each parameter is made when its
    tensors are read, in the number format asked for. Buffers keep their own format. All names are
    checked before the first tensor is read.

    Args:
        model: Filled in place.
        rules: The table.
        weights: The foreign tensors.
        dtype: Number format of the parameters.

    Raises:
        CheckpointError: foreign tensors are missing or unexpected, or a shape does not fit.
    """
    sources = _choose(model.state_dict(), rules, weights)
    for ours, source in sources.items():
        value = source.rule.transform(*map(weights.read, source.foreign))
        _set(model, ours, value, dtype=dtype, path=weights.path)


@dataclass(frozen=True)
class _Source:
    """A rule with the layer filled in."""

    rule: Rule
    foreign: tuple[str, ...]


def _choose(
    parameters: Iterable[str], rules: Sequence[Rule | Ignored], weights: Weights
) -> dict[str, _Source]:
    """Returns the source of each parameter that has one; every name must come out even."""
    names, index = weights.names, _index(rules)
    sources: dict[str, _Source] = {}
    missing: list[str] = []
    for ours in parameters:
        candidates = _candidates(ours, index)
        source = next((c for c in candidates if names.issuperset(c.foreign)), None)
        if source is not None:
            sources[ours] = source
        elif not candidates:
            missing.append(ours)
        elif not any(candidate.rule.optional for candidate in candidates):
            missing += [name for name in candidates[0].foreign if name not in names]
    used = {name for source in sources.values() for name in source.foreign}
    ignored = {rule.foreign for rule in rules if isinstance(rule, Ignored)}
    unexpected = sorted(
        name
        for name in names - used
        if not any(pattern in ignored for pattern, _ in _patterns(name))
    )
    if missing or unexpected:
        problem = "weights do not fit the model"
        raise CheckpointError(weights.path, problem, missing=missing, unexpected=unexpected)
    return sources


def _index(rules: Sequence[Rule | Ignored]) -> dict[str, list[Rule]]:
    """Returns the rules by the parameter that they name, each list in the order of the table."""
    index: dict[str, list[Rule]] = {}
    for rule in rules:
        if isinstance(rule, Rule):
            index.setdefault(rule.ours, []).append(rule)
    return index


def _candidates(ours: str, index: Mapping[str, Sequence[Rule]]) -> list[_Source]:
    """Returns the rules for a parameter, those without a layer first."""
    return [
        _Source(rule, tuple(name.replace(_LAYER, layer) for name in rule.foreign))
        for pattern, layer in _patterns(ours)
        for rule in index.get(pattern, ())
    ]


def _patterns(name: str) -> Iterator[tuple[str, str]]:
    """Yields the patterns that fit a name, each with the layer's number."""
    yield name, ""
    for number in re.finditer(r"\d+", name):
        yield name[: number.start()] + _LAYER + name[number.end() :], number[0]


def _set(model: nn.Module, ours: str, value: Tensor, *, dtype: torch.dtype, path: Path) -> None:
    owner_name, _, name = ours.rpartition(".")
    owner = model.get_submodule(owner_name)
    old: Tensor = getattr(owner, name)
    if old.shape != value.shape:
        shapes = f"{list(value.shape)}, the model has {list(old.shape)}"
        raise CheckpointError(path, f"what fills {ours} has shape {shapes}")
    # A copy of its own, laid out in order: what was read may be a view of the file.
    is_parameter = isinstance(old, nn.Parameter)
    new = torch.empty(value.shape, dtype=dtype if is_parameter else old.dtype, device="cpu")
    new.copy_(value)
    if is_parameter:
        new = nn.Parameter(new, requires_grad=old.requires_grad)
    setattr(owner, name, new)
