"""One run: from a wild type and its variants, or proteins to scan, to a store of effects."""

from __future__ import annotations

import dataclasses
import platform
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from bioseq.embed.blocks import RecordBlock, cut_blocks
from bioseq.embed.progress import Progress
from bioseq.embed.records import CheckedRecord
from bioseq.embed.run import other_input, skip_done
from bioseq.embed.writer import BackgroundWriter
from bioseq.predict.variants.heatmap import draw_heatmap
from bioseq.predict.variants.inputs import read_proteins, read_variants, read_wild_type
from bioseq.predict.variants.job import (
    EffectEngine,
    ScanEngine,
    VariantEngine,
    VariantJob,
    build_variant_job,
)
from bioseq.predict.variants.options import MARGINALS, VariantOptions
from bioseq.predict.variants.table import check_table_name, write_scan_table, write_variant_table
from bioseq.store import Block, Store, UnfinishedWork, open_store
from bioseq.typing import AnyPath


def predict_variants(
    wild_type: AnyPath,
    output: AnyPath,
    options: VariantOptions | None = None,
    *,
    variants: AnyPath,
    table: AnyPath | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Store:
    """Scores variants of one wild type and writes their effects to a store.

    Each variant is a record, in the order given; one that does not fit the wild type is listed in
    the store's failures. Killed and repeated, it goes on behind the last finished block.

    Args:
        wild_type: A file with one sequence.
        output: The store to write.
        options: How.
        variants: A table (`.csv`, `.tsv`, `.parquet`) with a column of substitutions, or a file of
            variant sequences.
        table: Also write the effects there, as Parquet or CSV.
        overwrite: Replace a finished store of that name.
        progress: Is told how the run goes.

    Returns:
        The finished store, open for reading.

    Raises:
        BioseqError: a file, an option or the model can't be used; the message says which and why.
    """
    options = options or VariantOptions()
    _check_outputs(table)
    job = build_variant_job(options)
    tokenizer = job.effects.scorer.model.tokenizer
    parent = read_wild_type(wild_type, tokenizer, first_residue=options.first_residue)
    records = list(
        read_variants(
            variants,
            parent,
            tokenizer,
            column=options.column,
            may_change_length=job.effects.strategy not in MARGINALS,
        )
    )
    engine = VariantEngine(effects=job.effects, wild_type=parent)
    store = _run(job, engine, records, output, overwrite=overwrite, progress=progress)
    if table is not None:
        write_variant_table(store, Path(table), strategy=job.effects.strategy)
    return store


def scan_proteins(
    proteins: AnyPath,
    output: AnyPath,
    options: VariantOptions | None = None,
    *,
    table: AnyPath | None = None,
    heatmap: AnyPath | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Store:
    """Scores every substitution of every residue of some sequences; see `predict_variants`.

    Args:
        proteins: A file of sequences.
        output: The store to write.
        options: How.
        table: Also write the effects there, one line for each substitution.
        heatmap: Also draw them; for a single sequence.
        overwrite: Replace a finished store of that name.
        progress: Is told how the run goes.

    Returns:
        The finished store, open for reading.

    Raises:
        BioseqError: a file, an option or the model can't be used; the message says which and why.
    """
    options = options or VariantOptions()
    _check_outputs(table)
    job = build_variant_job(options)
    records = list(read_proteins(proteins, job.effects.scorer.model.tokenizer))
    engine = ScanEngine(effects=job.effects)
    store = _run(job, engine, records, output, overwrite=overwrite, progress=progress)
    sequences = [checked.record.sequence for checked in records]
    chosen = {"strategy": job.effects.strategy, "first_residue": options.first_residue}
    if table is not None:
        write_scan_table(store, Path(table), sequences, **chosen)
    if heatmap is not None:
        draw_heatmap(store, Path(heatmap), sequences, **chosen)
    return store


def _check_outputs(table: AnyPath | None) -> None:
    if table is not None:
        check_table_name(Path(table))


def _run(
    job: VariantJob,
    engine: EffectEngine,
    records: Sequence[CheckedRecord],
    output: AnyPath,
    *,
    overwrite: bool,
    progress: Progress | None,
) -> Store:
    started = time.monotonic()
    sequences = [checked.record.sequence for checked in records if checked.problem is None]
    work = UnfinishedWork.open_or_create(
        output,
        job.settings(engine),
        job.plan(engine, sequences),
        attributes=job.attributes(engine),
        overwrite=overwrite,
    )
    was_finished = work.is_finished
    left = iter(records)
    skip_done(work, left)
    if progress is not None:
        progress.begin(
            model=job.job.model,
            device=str(job.job.device),
            done_records=work.num_records,
            is_finished=was_finished,
        )
    new = list(left)
    if was_finished and new:
        raise other_input(work, work.num_records, "the input goes on")
    _compute(engine, new, work, progress)
    work.assemble(_provenance(job, records, seconds=time.monotonic() - started))
    return open_store(output)


def _compute(
    engine: EffectEngine,
    records: Sequence[CheckedRecord],
    work: UnfinishedWork,
    progress: Progress | None,
) -> None:
    known = {digest.decode(): row for row, digest in enumerate(work.digests().tolist())}
    total = engine.cost([c.record.sequence for c in records if c.problem is None])
    done = work.num_records
    with BackgroundWriter(work.write) as writer:
        advance = _meter(progress, total, writer.check)
        for block in cut_blocks(
            records,
            known,
            residues_per_block=work.plan["residues_per_block"],
            records_per_block=work.plan["records_per_block"],
        ):
            found = engine.run(list(block.new.values()), advance)
            writer.put(_as_predictions(block.finish(found, known, first_record=done)))
            done += len(block.ids)
    if not work.parts:  # no records give an empty store with all its columns
        empty = RecordBlock().finish(engine.run([], advance), known, first_record=0)
        work.write(_as_predictions(empty))


def _as_predictions(block: Block) -> Block:
    return dataclasses.replace(block, values={}, predictions=block.values)


def _meter(
    progress: Progress | None, total: int, check: Callable[[], None]
) -> Callable[[int], None]:
    done = 0

    def advance(tokens: int) -> None:
        nonlocal done
        check()
        done += tokens
        if progress is not None:
            progress.advance(residues=tokens, fraction=min(1.0, done / max(1, total)))

    return advance


def _provenance(
    job: VariantJob, records: Sequence[CheckedRecord], *, seconds: float
) -> dict[str, object]:
    return {
        "made_by": "predict variants",
        "model": job.job.model.name,
        "strategy": job.effects.strategy,
        "records": len(records),
        "seconds": round(seconds, 3),
        "device": str(job.job.device),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "machine": platform.machine(),
    }
