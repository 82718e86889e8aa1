"""What heads are fitted on: labels with the states of their sequences, batch by batch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Float32, Int64
from torch import Tensor

from bioseq.batch import Layout, layout_of
from bioseq.heads import Head
from bioseq.labels.columns import label_rows
from bioseq.labels.target import Target
from bioseq.runs import choose_device
from bioseq.training.predictor.loss import standardise
from bioseq.training.predictor.settings import TargetSettings
from bioseq.training.predictor.states import States
from bioseq.training.predictor.table import LabelTable
from bioseq.typing import Level


@dataclass(frozen=True, kw_only=True)
class LabelledStates:
    """What heads are fitted on.

    Attributes:
        table: Sequences, parts and labels.
        states: Of the sequences.
        targets: What to learn.
        factors: Of each target's summed loss, so that a batch costs its mean over labelled rows.
        lengths: Residues of each sequence.
        device: Where to compute.
    """

    table: LabelTable
    states: States
    targets: tuple[Target, ...]
    factors: tuple[float, ...]
    lengths: Int64[np.ndarray, " sequences"]
    device: torch.device

    def batch(
        self, members: Int64[np.ndarray, " members"]
    ) -> tuple[Float[Tensor, "residues dim"], Layout, list[Float[Tensor, "_ _"]]]:
        """Returns states, layout and labels of some sequences."""
        labels = [
            torch.from_numpy(np.concatenate([self.rows(target, i) for i in members.tolist()]))
            for target in self.targets
        ]
        return (
            self.states(members).to(self.device),
            layout_of(self.lengths[members].tolist(), self.device),
            [label.to(self.device) for label in labels],
        )

    def rows(self, target: Target, member: int) -> Float32[np.ndarray, "rows _"]:
        """Returns the labels of one sequence, NaN where there is none."""
        return label_rows(self.table.labels[target.name][member])

    def count(self, target: Target, members: Int64[np.ndarray, " members"]) -> int:
        """Returns the number of labelled rows of some sequences."""
        found = (self.rows(target, member)[:, 0] for member in members.tolist())
        return sum(int((~np.isnan(rows)).sum()) for rows in found)

    def means(self, members: Int64[np.ndarray, " members"]) -> Float[Tensor, "members dim"]:
        """Returns the mean state of each of some sequences."""
        return self.states.means(members, self.lengths)

    def cut(
        self, members: Int64[np.ndarray, " members"], residues: int
    ) -> list[Int64[np.ndarray, " batch"]]:
        """Cuts sequences, as given or sorted by length, into batches of about so many residues."""
        if self.states.groups_lengths:
            members = members[np.argsort(self.lengths[members], kind="stable")]
        pools = np.cumsum(self.lengths[members]) // residues
        return np.split(members, np.flatnonzero(np.diff(pools)) + 1)

    def outputs(
        self, head: Head, members: Int64[np.ndarray, " members"], residues: int
    ) -> Iterator[tuple[dict[Level, Float[Tensor, "_ _"]], list[Float[Tensor, "_ _"]]]]:
        """Yields a head's outputs and the labels, batch by batch."""
        head.eval()
        self.states.eval()
        with torch.inference_mode():
            for batch in self.cut(members, residues):
                states, layout, labels = self.batch(batch)
                yield head(states, layout), labels


def label_states(
    states: States, table: LabelTable, targets: Sequence[TargetSettings], residues_per_batch: int
) -> LabelledStates:
    """Returns states with the labels of their sequences, and what the losses of a batch count.

    Args:
        states: Of the labelled sequences.
        table: These, with their labels.
        targets: What to learn.
        residues_per_batch: Residues in each step.
    """
    training = table.members("train")
    lengths = np.array([len(sequence) for sequence in table.sequences], np.int64)
    batches = lengths[training].sum() / residues_per_batch
    standardised, factors = [], []
    for wanted in targets:
        known, values = 0, [torch.empty(0)]
        for member in training.tolist():
            rows = label_rows(table.labels[wanted.name][member])
            rows = rows[~np.isnan(rows[:, 0])]
            known += len(rows)
            if wanted.kind == "value":
                values.append(torch.from_numpy(rows[:, 0]))
        standardised.append(standardise(_target(wanted), torch.cat(values)))
        width = len(wanted.classes) if wanted.kind == "labels" else 1
        factors.append(float(wanted.weight * batches / max(1, known * width)))
    return LabelledStates(
        table=table,
        states=states,
        targets=tuple(standardised),
        factors=tuple(factors),
        lengths=lengths,
        device=choose_device("auto"),
    )


def _target(wanted: TargetSettings) -> Target:
    return Target(
        name=wanted.name,
        level=wanted.level,
        kind=wanted.kind,
        classes=wanted.classes,
        separation=wanted.separation,
    )
