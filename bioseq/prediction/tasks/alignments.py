"""Predictions for alignments: of a residue, the mean of what is said of those aligned with it.

Relatives share their structure more than their sequence, and a predictor errs on each of them in
other places; so the mean is right more often than what it says of the query alone.

Source: Moffat & Jones 2021 (S4PRED) label single sequences by predictions from alignments; the mean
over the rows is the simplest of these.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike

import numpy as np
from jaxtyping import Bool

from bioseq.errors import OptionError
from bioseq.msa import Msa
from bioseq.msa.alignment import GAP
from bioseq.prediction.tasks.engine import TaskEngine
from bioseq.prediction.tasks.job import TaskJob, build_task_job
from bioseq.prediction.tasks.options import TaskOptions
from bioseq.records import Record
from bioseq.runs import (
    PLAN,
    AlignmentMeter,
    AlignmentWork,
    Cut,
    Progress,
    RecordChecker,
    ValueKind,
    list_alignments,
    read_alignments,
)
from bioseq.store import Store, UnfinishedWork, Values, open_store
from bioseq.typing import AnyPath

DEFAULT_DEPTH = 64


def predict_alignments(
    inputs: AnyPath | Sequence[AnyPath],
    output: AnyPath,
    options: TaskOptions,
    *,
    max_depth: int = DEFAULT_DEPTH,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Store:
    """Predicts the query of every alignment with the help of the other rows.

    Each file is one record, and its query (the first row) the sequence. What is said of each
    residue is the mean over all rows that have one in its column; what is said of sequences and of
    pairs of residues, and the typicality, are those of the query alone. Rows that an encoder can't
    read are left out, and so are residues that the query lacks.

    Args:
        inputs: A3M or Stockholm files, or folders of them.
        output: The store to write.
        options: Which tasks, and how.
        max_depth: Rows to read; of a deeper alignment the most different ones.
        overwrite: Replace a finished store of that name.
        progress: Is told how the run goes.

    Returns:
        The finished store, open for reading.

    Raises:
        BioseqError: a file, an option or a predictor can't be used; the message says why.
    """
    started = time.monotonic()
    if options.molecule not in (None, "protein"):
        raise OptionError("molecule", options.molecule, allowed="protein, as alignments are")
    job = build_task_job(options)
    if job.models[0].molecule != "protein":
        raise OptionError("tasks", job.models[0].molecule, allowed="protein, as alignments are")
    files = list_alignments([inputs] if isinstance(inputs, str | PathLike) else list(inputs))
    averaged = _Averaged.of(job, max_depth)
    work = UnfinishedWork.open_or_create(
        output,
        {**job.settings(), "input": "alignment", **averaged.cut.settings()},
        PLAN,
        attributes=job.attributes(),
        overwrite=overwrite,
    )
    meter = AlignmentMeter(len(files), progress)
    meter.begin(job.models, job.device, work)
    AlignmentWork(
        work=work, kinds=averaged.kinds(), compute=averaged.compute, report=meter.advance
    ).run(read_alignments(files, format=options.format))
    seconds = round(time.monotonic() - started, 3)
    work.assemble(
        {
            "made_by": "predict alignments",
            "model": ", ".join(model.name for model in job.models),
            "alignments": len(files),
            **averaged.cut.settings(),
            "seconds": seconds,
        }
    )
    return open_store(output)


@dataclass(frozen=True, kw_only=True)
class _Averaged:
    """Predicts the rows of one alignment at a time."""

    engine: TaskEngine
    checker: RecordChecker
    cut: Cut

    @classmethod
    def of(cls, job: TaskJob, max_depth: int) -> _Averaged:
        return cls(
            engine=job.engine(job.block_sizes()),
            checker=RecordChecker(job.models[0].tokenizer, trusting=True),
            cut=Cut(depth=max_depth),
        )

    def kinds(self) -> dict[str, ValueKind]:
        """Returns what each prediction is, by path."""
        return {
            f"predictions/{name}": ValueKind(
                owner=shape.owner, dim=shape.dim, has_gaps=shape.owner == "pair"
            )
            for name, shape in self.engine.shapes().items()
        }

    def compute(self, msa: Msa) -> dict[str, np.ndarray]:
        """Returns all predictions by path."""
        chosen = self.cut.fit(msa)
        rows = [chosen.row(number).replace("-", "") for number in range(chosen.depth)]
        problems = [self.checker.find_problem(Record("", "", row)) for row in rows]
        if problems[0] is not None:
            raise OptionError("query", problems[0], allowed="residues that the model reads")
        read = [number for number, problem in enumerate(problems) if problem is None]
        found = self.engine.run([rows[number] for number in read], lambda _: None)
        if not found.finite.all():
            raise OptionError("predictions", "not finite", allowed=found.not_finite)
        is_there = chosen.symbols[read] != GAP
        return {
            f"predictions/{name}": mean_over_rows(found.predictions[name], is_there)
            if shape.owner == "residue"
            else found.predictions[name][0]
            for name, shape in self.engine.shapes().items()
        }


def mean_over_rows(values: Values, is_there: Bool[np.ndarray, "rows columns"]) -> np.ndarray:
    """Returns the mean of each column over the rows that have a residue there, `[columns, dim]`.

    Args:
        values: Of the residues of each row.
        is_there: Whether a row has a residue in a column; the first has one in each.
    """
    sums = np.zeros((is_there.shape[1], values[0].shape[1]))
    for places, said in zip(is_there, values, strict=True):
        sums[places] += said
    return sums / is_there.sum(axis=0)[:, None]
