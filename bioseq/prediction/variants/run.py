"""One run: from a wild type and its variants, or proteins to scan, to a store of effects."""

from __future__ import annotations

from pathlib import Path

from bioseq.embedding.job import Job
from bioseq.prediction.language.job import LanguageJob
from bioseq.prediction.tables import check_table_name
from bioseq.prediction.variants.effects import build_effects
from bioseq.prediction.variants.engines import ScanEngine, VariantEngine
from bioseq.prediction.variants.heatmap import draw_heatmap
from bioseq.prediction.variants.inputs import ScanInputs, open_variants, read_wild_type
from bioseq.prediction.variants.options import MARGINALS, VariantOptions
from bioseq.prediction.variants.table import write_scan_table, write_variant_table
from bioseq.runs import Progress, RecordSource, run_job
from bioseq.store import Store
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
    job, effects = build_effects(options)
    tokenizer = job.model.tokenizer
    parent = read_wild_type(wild_type, tokenizer, first_residue=options.first_residue)
    source = open_variants(
        variants,
        parent,
        tokenizer,
        column=options.column,
        may_change_length=effects.strategy not in MARGINALS,
    )
    engine = VariantEngine(effects=effects, wild_type=parent)
    store = _run(job, engine, source, output, overwrite=overwrite, progress=progress)
    if table is not None:
        write_variant_table(store, Path(table), strategy=effects.strategy)
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
    job, effects = build_effects(options)
    source = ScanInputs(proteins, job.model.tokenizer, keep=bool(table or heatmap))
    engine = ScanEngine(effects=effects)
    store = _run(job, engine, source, output, overwrite=overwrite, progress=progress)
    chosen = {"strategy": effects.strategy, "first_residue": options.first_residue}
    if table is not None:
        write_scan_table(store, Path(table), source.sequences, **chosen)
    if heatmap is not None:
        draw_heatmap(store, Path(heatmap), source.sequences, **chosen)
    return store


def _check_outputs(table: AnyPath | None) -> None:
    if table is not None:
        check_table_name(Path(table))


def _run(
    job: Job,
    engine: ScanEngine | VariantEngine,
    source: RecordSource,
    output: AnyPath,
    *,
    overwrite: bool,
    progress: Progress | None,
) -> Store:
    strategy = engine.effects.strategy
    return run_job(
        LanguageJob(job=job, strategy=strategy, asking=engine),
        source,
        output,
        made_by="predict variants",
        provenance={"strategy": strategy},
        overwrite=overwrite,
        progress=progress,
    )
