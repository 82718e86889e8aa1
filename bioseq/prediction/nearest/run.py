"""One transfer of labels, from files of sequences to a store; interrupted anywhere, it goes on."""

from __future__ import annotations

from collections.abc import Sequence

from bioseq.prediction.nearest.job import build_nearest_job
from bioseq.prediction.nearest.options import NearestOptions
from bioseq.prediction.nearest.reference import open_reference
from bioseq.runs import Progress, open_inputs, run_job
from bioseq.store import Store, open_store
from bioseq.typing import AnyPath


def predict_nearest(
    inputs: AnyPath | Sequence[AnyPath],
    output: AnyPath,
    options: NearestOptions,
    *,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Store:
    """Predicts for every record of some files the label of the nearest records of a store.

    The store has, per sequence, the prediction under the column's name, and beside it the
    reference's records (`<column>-neighbours`, their numbers from 0) and their distances
    (`<column>-distances`), nearest first. Killed and repeated, it goes on behind the last finished
    block. A record that can't be computed is listed in the store's failures.

    Args:
        inputs: One or more files in any supported format, or `-` for standard input.
        output: The store to write.
        options: Whose labels, and how.
        overwrite: Replace a finished store of that name.
        progress: Is told how the run goes.

    Returns:
        The finished store, open for reading.

    Raises:
        BioseqError: a file, an option or the reference can't be used; the message says why.
    """
    with open_store(options.store) as store:
        reference = open_reference(store, options)
        job = build_nearest_job(options, reference)
        source = open_inputs(job, inputs)
        made = {
            "reference_records": len(reference),
            "reference_labels": len(reference.known.of_ids),
            "scale": job.vote.scale,
        }
        return run_job(
            job,
            source,
            output,
            made_by="predict nearest",
            provenance=made,
            overwrite=overwrite,
            progress=progress,
        )
