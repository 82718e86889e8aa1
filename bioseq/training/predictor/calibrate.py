"""Temperature scaling: one number per target, so that probabilities are frequencies.

Source: Guo et al. 2017, section 4.2; here the temperature that minimises the loss of the averaged
prediction of all members.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from bioseq.heads import Head
from bioseq.labels.target import Target
from bioseq.prediction.tasks.outputs import interpret, split_outputs
from bioseq.training.predictor.dataset import LabelledStates

_TEMPERATURES = tuple(2 ** (step / 16) for step in range(-32, 49))
_MOST_ROWS = 200_000


def calibrate_all(
    heads: Sequence[Head], labelled: LabelledStates, residues: int
) -> tuple[Target, ...]:
    """Returns the targets with the temperatures that fit the labels of the valid part best.

    Args:
        heads: The members.
        labelled: Sequences with their labels.
        residues: At a time.
    """
    samples = [_sample(head, labelled, residues) for head in heads]
    return tuple(
        calibrate(target, torch.stack([outputs for outputs, _ in found]), found[0][1])
        for target, *found in zip(labelled.targets, *samples, strict=True)
    )


def calibrate(
    target: Target,
    outputs: Float[Tensor, "members rows classes"],
    labels: Float[Tensor, "rows columns"],
) -> Target:
    """Returns the target with the temperature that fits held-out labels best; 1/4 to 8.

    Args:
        target: Of classes or labels; a value is given back as it is.
        outputs: Of every member, before `Target.interpret`.
        labels: NaN where there is none.
    """
    known = (~labels[:, 0].isnan()).nonzero()[:, 0]
    if target.kind == "value" or not len(known):
        return target
    outputs, labels = outputs[:, known], labels[known]
    candidates = [replace(target, temperature=t) for t in _TEMPERATURES]
    return min(candidates, key=lambda candidate: _surprise(candidate, outputs, labels))


def _surprise(
    target: Target,
    outputs: Float[Tensor, "members rows classes"],
    labels: Float[Tensor, "rows columns"],
) -> float:
    probabilities = interpret(target, outputs).mean(dim=0).clamp(1e-7, 1 - 1e-7)
    if target.kind == "classes":
        return functional.nll_loss(probabilities.log(), labels[:, 0].long()).item()
    return functional.binary_cross_entropy(probabilities, labels).item()


def _sample(
    head: Head, labelled: LabelledStates, residues: int
) -> list[tuple[Float[Tensor, "rows _"], Float[Tensor, "rows _"]]]:
    """Returns for each target outputs and labels of labelled rows, every one or evenly fewer."""
    members = labelled.table.members("valid")
    steps = [max(1, -(-labelled.count(t, members) // _MOST_ROWS)) for t in labelled.targets]
    skip = [0] * len(steps)
    kept: list[list[tuple[Tensor, Tensor]]] = [[] for _ in steps]
    for outputs, labels in labelled.outputs(head, members, residues):
        parts = split_outputs(outputs, labelled.targets)
        for i, (part, label) in enumerate(zip(parts, labels, strict=True)):
            known = (~label[:, 0].isnan()).nonzero()[:, 0]
            chosen = known[skip[i] :: steps[i]]
            skip[i] = (skip[i] - len(known)) % steps[i]
            kept[i].append((part[chosen], label[chosen]))
    joined = [zip(*batches, strict=True) for batches in kept]
    return [(torch.cat(outputs), torch.cat(labels)) for outputs, labels in joined]
