"""Which training sequences share a batch, drawn anew in every epoch."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Int64

from bioseq.training.predictor.settings import FittingSettings
from bioseq.training.predictor.table import LabelTable

_BATCHES_PER_POOL = 16

Batches = list[Int64[np.ndarray, " batch"]]
Order = Callable[
    [Int64[np.ndarray, " members"], Int64[np.ndarray, " members"], int, np.random.Generator],
    Batches,
]


@dataclass(frozen=True, kw_only=True)
class Epochs:
    """The batches of all epochs of one fitting; a step's depends on seed and step alone.

    Attributes:
        members: Numbers of the training sequences.
        lengths: Residues of each.
        order: Puts them into batches, equally many in every epoch.
        residues: In a batch, about.
        seed: Decides the order.
        most: Epochs after which fitting ends.
        most_steps: Steps after which it ends, if it has not before; 0 for no such end.
    """

    members: Int64[np.ndarray, " members"]
    lengths: Int64[np.ndarray, " members"]
    order: Order
    residues: int
    seed: int
    most: int
    most_steps: int

    @cached_property
    def steps_each(self) -> int:
        """Steps of an epoch."""
        return len(self._draw(0))

    @property
    def steps(self) -> int:
        """Steps of all epochs."""
        steps = self.steps_each * self.most
        return min(steps, self.most_steps or steps)

    def batches(self, first_step: int) -> Iterator[Int64[np.ndarray, " batch"]]:
        """Returns what the steps read, from a given step on, without end."""
        first_epoch, done = divmod(first_step, self.steps_each)
        epochs = (self._draw(epoch) for epoch in itertools.count(first_epoch))
        return itertools.islice(itertools.chain.from_iterable(epochs), done, None)

    def _draw(self, epoch: int) -> Batches:
        rng = np.random.default_rng([self.seed, epoch])
        return self.order(self.members, self.lengths, self.residues, rng)


def schedule_epochs(
    optimizer: FittingSettings, table: LabelTable, seed: int, *, by_length: bool
) -> Epochs:
    """Returns the epochs of one member.

    Args:
        optimizer: How to fit.
        table: The labelled sequences.
        seed: Of the member.
        by_length: Whether sequences of similar length share a batch: what is computed anew is
            computed faster so.
    """
    members = table.members("train")
    return Epochs(
        members=members,
        lengths=np.array([len(table.sequences[i]) for i in members], np.int64),
        order=bucket_order if by_length else random_order,
        residues=optimizer.residues_per_batch,
        seed=seed,
        most=optimizer.epochs,
        most_steps=optimizer.steps,
    )


def random_order(
    members: Int64[np.ndarray, " members"],
    lengths: Int64[np.ndarray, " members"],
    residues: int,
    rng: np.random.Generator,
) -> Batches:
    """Deals sequences at random, equally many to each batch of about so many residues.

    Args:
        members: Numbers of the sequences.
        lengths: Residues of each.
        residues: In a batch.
        rng: Draws.
    """
    count = max(1, int(lengths.sum() // residues))
    return np.array_split(rng.permutation(members), min(count, len(members)))


def bucket_order(
    members: Int64[np.ndarray, " members"],
    lengths: Int64[np.ndarray, " members"],
    residues: int,
    rng: np.random.Generator,
) -> Batches:
    """Puts sequences of similar length together, about so many residues in each batch.

    Similar is what stands together when a random share of the sequences, enough for some batches,
    is sorted by length. The number of batches is the same for every draw.

    Args:
        members: Numbers of the sequences.
        lengths: Residues of each.
        residues: In a batch; as many as the longest sequence has where that is more.
        rng: Draws.
    """
    count = max(1, int(lengths.sum() // max(residues, lengths.max())))
    drawn = rng.permutation(len(members))
    pools = np.array_split(drawn, max(1, count // _BATCHES_PER_POOL))
    order = np.concatenate([pool[np.argsort(lengths[pool], kind="stable")] for pool in pools])
    ends = np.cumsum(lengths[order])
    bounds = np.searchsorted(ends * count, ends[-1] * np.arange(1, count), side="right")
    batches = np.split(members[order], bounds)
    return [batches[i] for i in rng.permutation(count)]
