"""From the outputs of a head to probabilities or values, target by target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from jaxtyping import Float
from torch import Tensor

from bioseq.labels import Target
from bioseq.typing import Level


def interpret(
    target: Target, outputs: Float[Tensor, "*rows classes"]
) -> Float[Tensor, "*rows classes"]:
    """Returns the probabilities of a target's classes, or its values in their own unit."""
    if target.kind == "value":
        return outputs * target.scale + target.center
    logits = outputs / target.temperature
    return logits.softmax(dim=-1) if target.kind == "classes" else logits.sigmoid()


def split_outputs(
    outputs: Mapping[Level, Float[Tensor, "... _"]], targets: Sequence[Target]
) -> list[Float[Tensor, "... _"]]:
    """Returns the columns of a head's outputs that belong to each target."""
    parts, start = [], dict.fromkeys(outputs, 0)
    for target in targets:
        stop = start[target.level] + target.width
        parts.append(outputs[target.level][..., start[target.level] : stop])
        start[target.level] = stop
    return parts
