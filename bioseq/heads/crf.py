"""A conditional random field over the labels of a sequence.

The labels of neighbours are judged together, and a class may ask for runs of some length; what
comes out are the probabilities of single labels, summed over all allowed sequences of labels. So
cross-entropy, missing labels, calibration and ensembles work as without it.

Source: Lafferty et al. 2001, section 3; forward-backward: Rabiner 1989, section III A; single
labels as the objective: Kakade et al. 2002.
"""

from __future__ import annotations

import itertools

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn

from bioseq.batch import Layout
from bioseq.labels.grammar import Grammar

# Finite, for minus infinity has no gradient; its exponential is 0.
_NEVER = -1e4


class ConditionalRandomField(nn.Module):
    """Turns the logits of single residues into log-probabilities that heed their neighbours.

    With all weights zero, as at the start, and runs of one residue it changes nothing.

    Args:
        grammar: Which sequences of labels there are.

    Attributes:
        grammar: The same.
        transitions: Score of the second class behind the first, once the first has its length.
        first: Score of a sequence that begins with a class.
        last: Score of a sequence that ends with a class.
    """

    owner: Tensor
    changes: Tensor
    forbidden: Tensor
    closed: Tensor

    def __init__(self, grammar: Grammar) -> None:
        super().__init__()
        self.grammar = grammar
        owner, follows, last = grammar.states()
        count = len(grammar.shortest)
        self.transitions = nn.Parameter(torch.zeros(count, count))
        self.first = nn.Parameter(torch.zeros(count))
        self.last = nn.Parameter(torch.zeros(count))
        self.bounds = [0, *itertools.accumulate(grammar.shortest)]
        scores = {
            "owner": torch.from_numpy(owner),
            "changes": torch.from_numpy(last).float()[:, None],
            "forbidden": torch.from_numpy(~follows) * _NEVER,
            "closed": torch.from_numpy(~last) * _NEVER,
        }
        for name, tensor in scores.items():
            self.register_buffer(name, tensor, persistent=False)

    def forward(
        self, logits: Float[Tensor, "residues classes"], layout: Layout
    ) -> Float[Tensor, "residues classes"]:
        """Returns the logarithm of every label's probability.

        Args:
            logits: Of single residues.
            layout: Where each sequence lies.
        """
        # Sums over whole sequences: in half precision they would lose what tells classes apart.
        wide = logits.to(torch.promote_types(logits.dtype, torch.float32))
        scores = wide[:, self.owner]
        places, mask = _both_ways(layout)
        steps = self.transitions[self.owner][:, self.owner] * self.changes + self.forbidden
        found = _add_up(
            scores[places],
            torch.stack([self._start(), self._end()]),
            torch.stack([steps, steps.T]),
        )
        before, behind = (
            torch.empty_like(scores).index_put((places[:, way][mask],), found[:, way][mask])
            for way in (0, 1)
        )
        # Each counts the residue's own score.
        joint = before + behind - scores
        classes = [joint[:, a:b].logsumexp(dim=1) for a, b in itertools.pairwise(self.bounds)]
        return torch.stack(classes, dim=1).log_softmax(dim=1)

    def _start(self) -> Float[Tensor, " states"]:
        opens = torch.zeros_like(self.owner, dtype=torch.bool)
        opens[self.bounds[:-1]] = True
        return torch.where(opens, self.first[self.owner], _NEVER)

    def _end(self) -> Float[Tensor, " states"]:
        return self.last[self.owner] + self.closed


def _both_ways(
    layout: Layout,
) -> tuple[Int64[Tensor, "steps 2 segments"], Bool[Tensor, "steps segments"]]:
    """Returns what is read at each step, from the start and from the end, and whether it is real.

    Segments of any lengths go side by side: a step costs the same for one and for many.
    """
    step = torch.arange(layout.max_length, device=layout.device)[:, None]
    starts, lengths = layout.start_tensor, layout.length_tensor
    forward = starts + step.clamp(max=lengths - 1)
    backward = starts + (lengths - 1 - step).clamp(min=0)
    return torch.stack([forward, backward], dim=1), step < lengths


def _add_up(
    scores: Float[Tensor, "steps 2 segments states"],
    start: Float[Tensor, "2 states"],
    steps: Float[Tensor, "2 states states"],
) -> Float[Tensor, "steps 2 segments states"]:
    """Adds up all ways to each state, in logarithms; every step relative to its best state."""
    found = [start[:, None] + scores[0]]
    for score in scores[1:]:
        ways = (found[-1][..., None] + steps[:, None]).logsumexp(dim=2) + score
        found.append(ways - ways.amax(dim=2, keepdim=True).detach())
    return torch.stack(found)
