"""One run, from alignments to a store of contact maps; interrupted anywhere, it goes on."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from os import PathLike

import numpy as np
import torch

from bioseq.errors import StoreError
from bioseq.msa import choose_rows
from bioseq.predict.contacts.alignments import AlignmentRecord, list_alignments, read_alignments
from bioseq.predict.contacts.options import ContactOptions
from bioseq.predict.contacts.predictors import Predictor, build_predictor
from bioseq.store import Block, Failure, Pairs, Store, UnfinishedWork, open_store
from bioseq.typing import AnyPath

TASK = "contacts"
_ALIGNMENTS_PER_BLOCK = 8
_NOT_FINITE = "the map holds numbers that are not finite"

Report = Callable[[str], None]


def predict_contacts(
    inputs: AnyPath | Sequence[AnyPath],
    output: AnyPath,
    options: ContactOptions | None = None,
    *,
    overwrite: bool = False,
    report: Report | None = None,
) -> Store:
    """Predicts the contacts of some alignments and writes the maps to a store.

    Killed and repeated, it goes on behind the last finished block. An alignment without a result is
    listed in the store's failures.

    Args:
        inputs: A3M or Stockholm files, or folders of them.
        output: The store to write; the maps are `predictions/contacts`, per pair.
        options: How; the bundled model unless given.
        overwrite: Replace a finished store of that name.
        report: Is told the name of each alignment when it is done.

    Returns:
        The finished store, open for reading.

    Raises:
        BioseqError: a file, an option or the model can't be used; the message says which and why.
    """
    started = time.monotonic()
    paths = [inputs] if isinstance(inputs, str | PathLike) else list(inputs)
    options = options or ContactOptions()
    files = list_alignments(paths)
    predictor = build_predictor(options.model, device=options.device)
    depth = _depth(options, predictor)
    work = UnfinishedWork.open_or_create(
        output,
        _settings(options, predictor, depth),
        {"alignments_per_block": _ALIGNMENTS_PER_BLOCK},
        attributes={f"predictions/{TASK}": _attributes(predictor)},
        overwrite=overwrite,
    )
    records = read_alignments(files, format=options.format)
    _skip_done(work, records)
    if not work.is_finished:
        _Blocks(work, predictor, options, depth, report).write_all(records)
    elif next(records, None) is not None:
        raise StoreError(work.path, "exists, made from other alignments; choose another name")
    seconds = round(time.monotonic() - started, 3)
    work.assemble({"made_by": "predict contacts", "alignments": len(files), "seconds": seconds})
    return open_store(output)


def _depth(options: ContactOptions, predictor: Predictor) -> int:
    wanted = options.max_depth or predictor.depth
    return min(wanted, predictor.max_depth or wanted)


def _settings(options: ContactOptions, predictor: Predictor, depth: int) -> dict[str, object]:
    return {
        "task": TASK,
        "input": "alignment",
        "model": predictor.name,
        "version": predictor.version,
        "max_depth": depth,
        "subsample": options.subsample,
        "seed": options.seed,
        "save_as": options.save_as,
    }


def _attributes(predictor: Predictor) -> dict[str, object]:
    return {
        "classes": ["contact"] if predictor.gives == "probability" else [],
        "model": predictor.name,
        "version": predictor.version,
        "gives": predictor.gives,
    }


def _skip_done(work: UnfinishedWork, records: Iterator[AlignmentRecord]) -> None:
    """Reads past the alignments that are done, and checks that they are the same."""
    for number, done in enumerate(work.records(), start=1):
        record = next(records, None)
        now = (record.id, record.description, record.digest) if record is not None else None
        if now != (done.id, done.description, done.digest):
            problem = (
                f"was made from other alignments: number {number} was {done.id!r}; "
                "choose another name or delete it"
            )
            raise StoreError(work.path, problem)


class _Blocks:
    """Computes alignments and writes them block by block."""

    def __init__(
        self,
        work: UnfinishedWork,
        predictor: Predictor,
        options: ContactOptions,
        depth: int,
        report: Report | None,
    ) -> None:
        self._work = work
        self._predictor = predictor
        self._options = options
        self._depth = depth
        self._report = report
        self._rows = {digest.decode(): row for row, digest in enumerate(work.digests().tolist())}

    def write_all(self, records: Iterator[AlignmentRecord]) -> None:
        """Writes what is left, and an empty block where there is nothing at all."""
        size = self._work.plan["alignments_per_block"]
        while (block := list(itertools.islice(records, size))) or not self._work.parts:
            self._work.write(self._compute(block))
            if self._work.is_finished or not block:
                return

    def _compute(self, records: Sequence[AlignmentRecord]) -> Block:
        maps: dict[str, np.ndarray] = {}
        problems: dict[int, str] = {}
        for place, record in enumerate(records):
            if record.digest not in self._rows and record.digest not in maps:
                found = self._map_of(record)
                if isinstance(found, str):
                    problems[place] = found
                else:
                    maps[record.digest] = found
            if self._report is not None:
                self._report(record.id)
        self._rows |= {digest: len(self._rows) + k for k, digest in enumerate(maps)}
        return Block(
            ids=[record.id for record in records],
            descriptions=[record.description for record in records],
            rows=np.array(
                [-1 if k in problems else self._rows[r.digest] for k, r in enumerate(records)],
                dtype=np.int64,
            ),
            digests=list(maps),
            lengths=np.array([len(found) for found in maps.values()], dtype=np.uint32),
            failures=[
                Failure(self._work.num_records + k, records[k].id, problem, records[k].digest)
                for k, problem in problems.items()
            ],
            predictions={TASK: Pairs.join(list(maps.values()), dtype=self._options.save_as)},
        )

    def _map_of(self, record: AlignmentRecord) -> np.ndarray | str:
        """Gives the map, or why there is none."""
        msa = record.msa
        if msa is None:
            return record.problem
        limit = self._predictor.max_length
        if limit is not None and msa.length > limit:
            return f"{msa.length} residues; {self._predictor.name} reads up to {limit}"
        rows = choose_rows(
            msa, self._depth, method=self._options.subsample, seed=self._options.seed
        )
        try:
            found = self._predictor.predict(msa.take(rows))
        except (MemoryError, torch.OutOfMemoryError):
            return f"{msa.length} residues and {len(rows)} rows need more memory than there is"
        with np.errstate(over="ignore"):
            found = found.astype(self._options.save_as)
        return found if np.isfinite(found).all() else _NOT_FINITE
