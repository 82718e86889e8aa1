"""What the head's outputs cost, over the labels that are there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from bioseq.errors import OptionError
from bioseq.labels.target import Target
from bioseq.prediction.tasks.outputs import split_outputs
from bioseq.typing import Level


def target_loss(
    outputs: Float[Tensor, "rows classes"], labels: Float[Tensor, "rows columns"], target: Target
) -> Float[Tensor, ""]:
    """Adds up the loss of the labelled rows of one target.

    Args:
        outputs: Of the head, before `Target.interpret`.
        labels: NaN where there is none.
        target: Cross-entropy for classes, the same for each of `labels`, squared error of the
            standardised value.
    """
    known = ~labels[:, 0].isnan()
    found, wanted = outputs[known], labels[known]
    match target.kind:
        case "classes":
            return functional.cross_entropy(found, wanted[:, 0].long(), reduction="sum")
        case "labels":
            return functional.binary_cross_entropy_with_logits(found, wanted, reduction="sum")
        case _:
            return (found - (wanted - target.center) / target.scale).square().sum()


def joint_loss(
    outputs: Mapping[Level, Float[Tensor, "_ _"]],
    labels: Sequence[Float[Tensor, "_ _"]],
    targets: Sequence[Target],
    factors: Sequence[float],
) -> Float[Tensor, ""]:
    """Adds up the losses of all targets, each times its factor."""
    parts = split_outputs(outputs, targets)
    losses = [
        factor * target_loss(part.float(), label, target)
        for part, label, target, factor in zip(parts, labels, targets, factors, strict=True)
    ]
    return torch.stack(losses).sum()


def standardise(target: Target, known: Float[Tensor, " labels"]) -> Target:
    """Returns a value's target with the mean and the deviation of the training labels.

    Raises:
        OptionError: all labels are missing or equal.
    """
    if target.kind != "value":
        return target
    known = known.double()
    if not len(known) or not known.std(correction=0) > 0:
        field = f"labels of {target.name}"
        raise OptionError(field, f"{len(known)} numbers", allowed="at least two different ones")
    return replace(target, center=float(known.mean()), scale=float(known.std(correction=0)))
