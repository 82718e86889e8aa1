"""Key maps: tables that say which of a foreign file's tensors fills which of our parameters.

A table is data; `fill` is the only engine. It lets nothing pass in silence: every foreign tensor
is used or named as ignored, and every parameter is filled.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from os import PathLike

import torch
from torch import Tensor, nn

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
        optional: The model's own value stands where the file has none.
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


def fill(
    model: nn.Module,
    rules: Sequence[Rule | Ignored],
    *,
    names: Collection[str],
    read: Callable[[str], Tensor],
    path: str | PathLike[str],
) -> None:
    """Fills a model from foreign tensors, one parameter at a time.

    Only the tensors of one parameter are in memory beside the model. All names are checked before
    the first tensor is read.

    Args:
        model: Filled in place, in its own number format.
        rules: The table.
        names: Names of the foreign tensors.
        read: Gives the tensor of a name.
        path: Where the tensors come from, for errors.

    Raises:
        CheckpointError: foreign tensors are missing or unexpected, or a shape does not fit.
    """
    sources = _choose(model.state_dict(), rules, frozenset(names), path)
    with torch.no_grad():
        for ours, parameter in model.state_dict().items():
            if ours in sources:
                source = sources[ours]
                value = source.rule.transform(*map(read, source.foreign))
                _copy(parameter, value, ours=ours, path=path)


@dataclass(frozen=True)
class _Source:
    """A rule with the layer filled in."""

    rule: Rule
    foreign: tuple[str, ...]


def _choose(
    parameters: Iterable[str],
    rules: Sequence[Rule | Ignored],
    names: frozenset[str],
    path: str | PathLike[str],
) -> dict[str, _Source]:
    """Gives the source of each parameter that has one; every name must come out even."""
    sources: dict[str, _Source] = {}
    missing: list[str] = []
    for ours in parameters:
        candidates = _candidates(ours, rules)
        source = next((c for c in candidates if names.issuperset(c.foreign)), None)
        if source is not None:
            sources[ours] = source
        elif not candidates:
            missing.append(ours)
        elif not any(candidate.rule.optional for candidate in candidates):
            missing += [name for name in candidates[0].foreign if name not in names]
    used = {name for source in sources.values() for name in source.foreign}
    unexpected = sorted(name for name in names - used if not _is_ignored(name, rules))
    if missing or unexpected:
        problem = "weights do not fit the model"
        raise CheckpointError(path, problem, missing=missing, unexpected=unexpected)
    return sources


def _candidates(ours: str, rules: Sequence[Rule | Ignored]) -> list[_Source]:
    """Gives the rules for a parameter, in order."""
    candidates = []
    for rule in rules:
        if isinstance(rule, Rule) and (match := _match(rule.ours, ours)):
            layer = match.groupdict().get("layer", "")
            candidates.append(_Source(rule, tuple(n.replace(_LAYER, layer) for n in rule.foreign)))
    return candidates


def _is_ignored(name: str, rules: Sequence[Rule | Ignored]) -> bool:
    return any(isinstance(rule, Ignored) and _match(rule.foreign, name) for rule in rules)


def _match(pattern: str, name: str) -> re.Match[str] | None:
    return re.fullmatch(re.escape(pattern).replace(re.escape(_LAYER), r"(?P<layer>\d+)"), name)


def _copy(parameter: Tensor, value: Tensor, *, ours: str, path: str | PathLike[str]) -> None:
    if parameter.shape != value.shape:
        shapes = f"{list(value.shape)}, the model has {list(parameter.shape)}"
        raise CheckpointError(path, f"what fills {ours} has shape {shapes}")
    parameter.copy_(value)
