"""One run of a job, from records to a store; interrupted anywhere, it goes on."""

from __future__ import annotations

import platform
import time
from collections.abc import Iterator, Mapping, Sequence
from os import PathLike

import torch

from bioseq.errors import OtherInputError
from bioseq.runs.blocks import RecordBlock, cut_blocks
from bioseq.runs.inputs import Inputs
from bioseq.runs.job import RecordSource, StoreJob
from bioseq.runs.progress import Meter, Progress
from bioseq.runs.records import CheckedRecord
from bioseq.runs.writer import BackgroundWriter
from bioseq.store import Store, UnfinishedWork, open_store
from bioseq.typing import AnyPath


def open_inputs(job: StoreJob, inputs: AnyPath | Sequence[AnyPath]) -> Inputs:
    """Opens the records of one or more files for a job.

    Raises:
        InputError: a file can't be read.
        OptionError: the files hold another kind of molecule than the model reads.
    """
    paths = [inputs] if isinstance(inputs, str | PathLike) else list(inputs)
    options = job.options
    tokenizer = job.models[0].tokenizer
    return Inputs(paths, tokenizer, format=options.format, molecule=options.molecule)


def run_job(
    job: StoreJob,
    source: RecordSource,
    output: AnyPath,
    *,
    made_by: str,
    provenance: Mapping[str, object] | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Store:
    """Does a job for every record of a source and writes the values to a store.

    Args:
        job: What is computed.
        source: The records, from the first on.
        output: The store to write.
        made_by: The command, for the provenance.
        provenance: What the store shall say of its making besides the usual.
        overwrite: Replace a finished store of that name.
        progress: Is told how the run goes.

    Raises:
        OtherInputError: the output is finished or unfinished work on other records.
        BioseqError: a file or the output can't be used; the message says which and why.
    """
    started = time.monotonic()
    work = UnfinishedWork.open_or_create(
        output, job.settings(), job.block_sizes(), attributes=job.attributes(), overwrite=overwrite
    )
    computed = _compute(job, source, work, progress)
    seconds = time.monotonic() - started
    made = _provenance(job, source, computed_residues=computed, seconds=seconds)
    work.assemble({"made_by": made_by, **made, **(provenance or {})})
    return open_store(output)


def _compute(
    job: StoreJob, source: RecordSource, work: UnfinishedWork, progress: Progress | None
) -> int:
    """Computes what is not done yet, and gives the number of residues that took."""
    was_finished = work.is_finished
    records = iter(source)
    skip_done(work, records)
    if progress is not None:
        progress.begin(
            models=job.models,
            device=str(job.device),
            done_records=work.num_records,
            is_finished=was_finished,
        )
    engine = job.engine(work.block_sizes)
    meter = Meter(progress, source.fraction if work.num_records else 0.0)
    known = {digest.decode(): row for row, digest in enumerate(work.digests().tolist())}
    done, computed = work.num_records, 0
    with BackgroundWriter(work.write) as writer:

        def advance(residues: int) -> None:
            writer.check()
            meter.advance(residues)

        for block in cut_blocks(
            records,
            known,
            cost=engine.cost,
            residues_per_block=work.block_sizes["residues_per_block"],
            records_per_block=work.block_sizes["records_per_block"],
            pairs_per_block=work.block_sizes.get("pairs_per_block"),
        ):
            if was_finished:
                raise other_input(work, done, "the input goes on")
            if work.is_finished:  # by another process, while this one computed
                break
            new = list(block.new.values())
            meter.begin_block(block.cost, source.fraction)
            writer.put(block.finish(engine.run(new, advance), known, first_record=done))
            done += len(block.ids)
            computed += sum(map(len, new))
    if not work.parts:  # an empty input gives an empty store with all its columns
        work.write(RecordBlock().finish(engine.run([], meter.advance), known, first_record=0))
    return computed


def skip_done(work: UnfinishedWork, records: Iterator[CheckedRecord]) -> None:
    """Reads past the records that are done, and checks that they are the ones that were done.

    Raises:
        OtherInputError: the input is not the one that the work began with.
    """
    for number, done in enumerate(work.records()):
        checked = next(records, None)
        if checked is None:
            raise other_input(work, number, "the input ends there")
        now = (checked.record.id, checked.record.description, checked.digest)
        then = (done.id, done.description, done.digest)
        for name, before, after in zip(("id", "description", "sequence"), then, now, strict=True):
            if before != after:
                what = f"its {name} was {_shorten(before)}, now {_shorten(after)}"
                raise other_input(work, number, what)


def other_input(work: UnfinishedWork, number: int, what: str) -> OtherInputError:
    """Returns the error for an input whose record `number`, from 0, is not the one of the work."""
    return OtherInputError(work.path, record=number + 1, what=what, is_finished=work.is_finished)


def _shorten(text: str) -> str:
    return repr(text if len(text) <= 60 else f"{text[:57]}...")


def _provenance(
    job: StoreJob, source: RecordSource, *, computed_residues: int, seconds: float
) -> dict[str, object]:
    return {
        "model": ", ".join(model.name for model in job.models),
        "revision": ", ".join(model.revision for model in job.models if model.revision) or None,
        **source.provenance(),
        "computed_residues": computed_residues,
        "seconds": round(seconds, 3),
        "device": str(job.device),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "machine": platform.machine(),
    }
