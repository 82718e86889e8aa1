"""One prediction run, from files of sequences to a store; interrupted anywhere, it goes on."""

from __future__ import annotations

from collections.abc import Sequence

from bioseq.prediction.tasks.job import build_task_job
from bioseq.prediction.tasks.options import TaskOptions
from bioseq.runs import Progress, open_inputs, run_job
from bioseq.store import Store
from bioseq.typing import AnyPath


def predict_files(
    inputs: AnyPath | Sequence[AnyPath],
    output: AnyPath,
    options: TaskOptions,
    *,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Store:
    """Predicts every record of some files and writes the probabilities to a store.

    Tasks that read the same states share a pass of their encoder. Killed and repeated, it goes on
    behind the last finished block. A record that can't be computed is listed in the store's
    failures. Beside each task stands its typicality: the share of held-out sequences that look at
    least as unusual to the predictor as the input.

    Args:
        inputs: One or more files in any supported format, or `-` for standard input.
        output: The store to write.
        options: Which tasks, and how.
        overwrite: Replace a finished store of that name.
        progress: Is told how the run goes.

    Returns:
        The finished store, open for reading.

    Raises:
        BioseqError: a file, an option or a predictor can't be used; the message says why.
    """
    job = build_task_job(options)
    source = open_inputs(job, inputs)
    return run_job(job, source, output, made_by="predict", overwrite=overwrite, progress=progress)
