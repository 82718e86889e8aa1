"""From records to blocks: consecutive records, and the sequences that are new among them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from bioseq.runs.job import BlockValues
from bioseq.runs.records import CheckedRecord
from bioseq.store import Block, Failure, Pairs, Ragged, Values


@dataclass(kw_only=True)
class RecordBlock:
    """Consecutive records of the input.

    Attributes:
        ids: Identifiers.
        descriptions: Descriptions.
        digests: Refget digest of each record's sequence.
        problems: Why a record can't be computed, by its place in the block.
        new: Sequences that no earlier record has, by digest, in order of appearance.
        cost: Residues that go through the encoder for the new sequences.
        pairs: Ordered pairs of residues of the new sequences.
    """

    ids: list[str] = field(default_factory=list)
    descriptions: list[str] = field(default_factory=list)
    digests: list[str] = field(default_factory=list)
    problems: dict[int, str] = field(default_factory=dict)
    new: dict[str, str] = field(default_factory=dict)
    cost: int = 0
    pairs: int = 0

    def add(
        self, checked: CheckedRecord, known: dict[str, int], cost: Callable[[str], int]
    ) -> None:
        """Takes a record; its sequence costs something if it is new."""
        if checked.problem is not None:
            self.problems[len(self.ids)] = checked.problem
        self.ids.append(checked.record.id)
        self.descriptions.append(checked.record.description)
        self.digests.append(checked.digest)
        if checked.problem is not None or checked.digest in known or checked.digest in self.new:
            return
        self.new[checked.digest] = checked.record.sequence
        self.cost += cost(checked.record.sequence)
        self.pairs += len(checked.record.sequence) ** 2

    def finish(self, found: BlockValues, known: dict[str, int], *, first_record: int) -> Block:
        """Joins the records with the values of their new sequences, and notes these as known.

        A sequence whose values are not all finite is left out; its records fail.

        Args:
            found: Values of the new sequences, in order.
            known: Row of each sequence that is done, by digest; the new ones are added.
            first_record: Index of the block's first record in the whole input.
        """
        good = np.flatnonzero(found.finite)
        digests = list(self.new)
        kept = [digests[i] for i in good]
        known.update(zip(kept, range(len(known), len(known) + len(kept)), strict=True))
        reasons = {
            place: self.problems.get(place, found.not_finite)
            for place, digest in enumerate(self.digests)
            if place in self.problems or digest not in known
        }
        return Block(
            ids=self.ids,
            descriptions=self.descriptions,
            rows=np.array(
                [
                    -1 if place in reasons else known[digest]
                    for place, digest in enumerate(self.digests)
                ],
                dtype=np.int64,
            ),
            digests=kept,
            lengths=np.array([len(self.new[digest]) for digest in kept], dtype=np.uint32),
            failures=[
                Failure(first_record + place, self.ids[place], reason, self.digests[place])
                for place, reason in reasons.items()
            ],
            values={name: _take(values, good) for name, values in found.values.items()},
            predictions={name: _take(values, good) for name, values in found.predictions.items()},
        )


def _take(values: Values, good: np.ndarray) -> Values:
    if len(good) == len(values):
        return values
    if isinstance(values, np.ndarray):
        return values[good]
    if isinstance(values, Pairs):
        squares, array = [values[int(i)] for i in good], values.values
        return Pairs.join(squares, dim=array.shape[1], dtype=array.dtype)
    parts = [values[int(i)] for i in good]
    lengths = np.fromiter(map(len, parts), np.int64, len(parts))
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
    return Ragged(np.concatenate([values.values[:0], *parts]), offsets)


def cut_blocks(
    records: Iterable[CheckedRecord],
    known: dict[str, int],
    *,
    cost: Callable[[str], int],
    residues_per_block: int,
    records_per_block: int,
    pairs_per_block: int | None = None,
) -> Iterator[RecordBlock]:
    """Cuts the input where enough work or enough records have come together.

    Args:
        records: The input, behind what is done.
        known: Row of each sequence that is done, by digest; kept up to date by the caller.
        cost: Gives the residues that go through the encoder for a sequence.
        residues_per_block: As many of these for the new sequences end a block.
        records_per_block: Records after which a block ends.
        pairs_per_block: Pairs of residues after which a block ends, where they have values.
    """
    block = RecordBlock()
    for record in records:
        block.add(record, known, cost)
        is_full = block.cost >= residues_per_block or len(block.ids) >= records_per_block
        if is_full or (pairs_per_block is not None and block.pairs >= pairs_per_block):
            yield block
            block = RecordBlock()
    if block.ids:
        yield block
