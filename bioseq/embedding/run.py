"""Embedding of files, with whatever model: of sequences or of alignments."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike

from bioseq.embedding.alignments import embed_alignments
from bioseq.embedding.job import build_job, load_options_model
from bioseq.embedding.options import EmbedOptions
from bioseq.runs import Progress, open_inputs, run_job
from bioseq.store import Store
from bioseq.typing import AnyPath


def embed_files(
    inputs: AnyPath | Sequence[AnyPath],
    output: AnyPath,
    options: EmbedOptions | None = None,
    *,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Store:
    """Embeds every record of some files and writes the vectors to a store.

    With a model that reads alignments, each file is one record, and the vectors are its query's;
    with any other, each row of an alignment is a record.

    Killed and repeated, it goes on behind the last finished block. A record that can't be computed
    is listed in the store's failures.

    Args:
        inputs: One or more files in any supported format, or `-` for standard input. For a model
            that reads alignments: A3M or Stockholm files, or folders of them.
        output: The store to write.
        options: How; the default model's mean vectors unless given.
        overwrite: Replace a finished store of that name.
        progress: Is told how the run goes.

    Returns:
        The finished store, open for reading; its `provenance` has the counts of the run.

    Raises:
        BioseqError: a file, an option or the model can't be used; the message says which and why.
    """
    options = options or EmbedOptions()
    model = load_options_model(options)
    if model.reads == "alignment":
        paths = [inputs] if isinstance(inputs, str | PathLike) else list(inputs)
        return embed_alignments(
            paths, output, options, model=model, overwrite=overwrite, progress=progress
        )
    job = build_job(options, model)
    source = open_inputs(job, inputs)
    return run_job(job, source, output, made_by="embed", overwrite=overwrite, progress=progress)
