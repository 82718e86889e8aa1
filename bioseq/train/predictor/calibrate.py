"""Temperature scaling: one number per target, so that probabilities are frequencies.

Source: Guo et al. 2017, section 4.2; here the temperature that minimises the loss of the averaged
prediction of all members.
"""

from __future__ import annotations

from dataclasses import replace

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from bioseq.predict.tasks.target import Target

_TEMPERATURES = tuple(2 ** (step / 16) for step in range(-32, 49))
_MOST_ROWS = 200_000


def calibrate(
    target: Target,
    outputs: Float[Tensor, "members rows classes"],
    labels: Float[Tensor, "rows columns"],
) -> Target:
    """Gives the target with the temperature that fits held-out labels best; 1/4 to 8.

    Args:
        target: Of classes or labels; a value is given back as it is.
        outputs: Of every member, before `Target.interpret`.
        labels: NaN where there is none.
    """
    known = (~labels[:, 0].isnan()).nonzero()[:, 0]
    if target.kind == "value" or not len(known):
        return target
    known = known[:: -(-len(known) // _MOST_ROWS)]
    outputs, labels = outputs[:, known], labels[known]
    candidates = [replace(target, temperature=t) for t in _TEMPERATURES]
    return min(candidates, key=lambda candidate: _surprise(candidate, outputs, labels))


def _surprise(
    target: Target,
    outputs: Float[Tensor, "members rows classes"],
    labels: Float[Tensor, "rows columns"],
) -> float:
    probabilities = target.interpret(outputs).mean(dim=0).clamp(1e-7, 1 - 1e-7)
    if target.kind == "classes":
        return functional.nll_loss(probabilities.log(), labels[:, 0].long()).item()
    return functional.binary_cross_entropy(probabilities, labels).item()
