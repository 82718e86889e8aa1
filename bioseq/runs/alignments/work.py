"""The work on alignments, one at a time: from records to blocks of a store, resumable."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Shaped

from bioseq.errors import OptionError, StoreError
from bioseq.msa import Msa
from bioseq.runs.alignments.inputs import AlignmentRecord
from bioseq.runs.values import Owner
from bioseq.store import Block, Failure, Pairs, Ragged, UnfinishedWork, Values

PLAN = {"alignments_per_block": 8}

Found = Mapping[str, Shaped[np.ndarray, "..."]]
Report = Callable[[str, int], None]
"""Is told the id of an alignment that is done, and the residues of its query."""

_NOT_FINITE = "values are not finite; repeat it with --save-as float32"


@dataclass(frozen=True, kw_only=True)
class ValueKind:
    """What one set of values is.

    Attributes:
        owner: What has a value of its own: the query, each of its residues, or each pair of them.
        dim: Numbers in a value.
        has_gaps: Whether NaN is no mistake, but says that a pair has no value.
    """

    owner: Owner
    dim: int
    has_gaps: bool = False

    def is_sound(self, value: np.ndarray) -> bool:
        """Returns whether all numbers are finite, but for gaps."""
        return not (np.isinf(value) if self.has_gaps else ~np.isfinite(value)).any()

    def join(self, values: Sequence[np.ndarray], dtype: str) -> Values:
        """Packs the values of several queries; there may be none."""
        if self.owner == "pair":
            return Pairs.join(values, dim=self.dim, dtype=dtype)
        rows = [value.astype(dtype, copy=False).reshape(-1, self.dim) for value in values]
        packed = np.concatenate([np.empty((0, self.dim), dtype), *rows])
        if self.owner == "sequence":
            return packed
        return Ragged(packed, np.cumsum([0, *map(len, rows)], dtype=np.int64))


@dataclass(kw_only=True)
class AlignmentWork:
    """Computes alignments and writes them to a store, block by block.

    Attributes:
        work: The store that is being made, with `PLAN`.
        kinds: What is given for each alignment, by path, such as `predictions/contacts`.
        compute: Gives the values of one alignment by path; a `OptionError` is the reason why there
            are none.
        dtype: Number format of the stored values.
        report: Is told of each alignment when it is done.
    """

    work: UnfinishedWork
    kinds: Mapping[str, ValueKind]
    compute: Callable[[Msa], Found]
    dtype: str = "float32"
    report: Report | None = None
    _rows: dict[str, int] = field(default_factory=dict, init=False)

    def run(self, records: Iterator[AlignmentRecord]) -> None:
        """Reads past the alignments that are done and computes the others.

        Raises:
            StoreError: the alignments are not those that the work began with.
        """
        _skip_done(self.work, records)
        if self.work.is_finished:
            if next(records, None) is not None:
                raise _other_alignments(self.work, "there are more now")
            return
        self._rows = {d.decode(): row for row, d in enumerate(self.work.digests().tolist())}
        size = self.work.block_sizes["alignments_per_block"]
        while (block := list(itertools.islice(records, size))) or not self.work.parts:
            self.work.write(self._compute_block(block))
            if self.work.is_finished or not block:
                return

    def _compute_block(self, records: Sequence[AlignmentRecord]) -> Block:
        new: dict[str, tuple[int, Found]] = {}
        problems: dict[int, str] = {}
        for place, record in enumerate(records):
            if record.msa is None:
                problems[place] = record.problem
            elif record.digest not in self._rows and record.digest not in new:
                found = self._values_of(record.msa)
                if isinstance(found, str):
                    problems[place] = found
                else:
                    new[record.digest] = (record.msa.length, found)
            if self.report is not None:
                self.report(record.id, record.msa.length if record.msa is not None else 0)
        self._rows |= {digest: len(self._rows) + k for k, digest in enumerate(new)}
        return self._block(records, new, problems)

    def _block(
        self,
        records: Sequence[AlignmentRecord],
        new: Mapping[str, tuple[int, Found]],
        problems: Mapping[int, str],
    ) -> Block:
        first = self.work.num_records
        groups: dict[str, dict[str, Values]] = {"embeddings": {}, "predictions": {}}
        for path, kind in self.kinds.items():
            group, _, name = path.partition("/")
            groups[group][name] = kind.join([found[path] for _, found in new.values()], self.dtype)
        rows = [-1 if k in problems else self._rows[r.digest] for k, r in enumerate(records)]
        return Block(
            ids=[record.id for record in records],
            descriptions=[record.description for record in records],
            rows=np.array(rows, dtype=np.int64),
            digests=list(new),
            lengths=np.array([length for length, _ in new.values()], dtype=np.uint32),
            failures=[
                Failure(first + k, records[k].id, problem, records[k].digest)
                for k, problem in problems.items()
            ],
            values=groups["embeddings"],
            predictions=groups["predictions"],
        )

    def _values_of(self, msa: Msa) -> Found | str:
        """Returns the values of an alignment, or why there are none."""
        try:
            found = self.compute(msa)
        except OptionError as error:
            return str(error)
        except (MemoryError, torch.OutOfMemoryError):
            return f"{msa.length} residues and {msa.depth} rows need more memory than there is"
        with np.errstate(over="ignore"):
            cast = {path: value.astype(self.dtype) for path, value in found.items()}
        are_sound = all(self.kinds[path].is_sound(value) for path, value in cast.items())
        return cast if are_sound else _NOT_FINITE


def _skip_done(work: UnfinishedWork, records: Iterator[AlignmentRecord]) -> None:
    for number, done in enumerate(work.records(), start=1):
        record = next(records, None)
        now = (record.id, record.description, record.digest) if record is not None else None
        if now != (done.id, done.description, done.digest):
            raise _other_alignments(work, f"number {number} was {done.id!r}")


def _other_alignments(work: UnfinishedWork, what: str) -> StoreError:
    problem = f"was made from other alignments: {what}; choose another name or delete it"
    return StoreError(work.path, problem)
