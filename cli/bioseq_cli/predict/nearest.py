"""`bioseq predict nearest`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bioseq_cli.options import input_options, inputs_argument, machine_options, store_option
from bioseq_cli.outcome import describe_file, end_with
from bioseq_cli.progress import EmbedProgress

if TYPE_CHECKING:
    from bioseq.store import Store


@click.command()
@inputs_argument
@click.option(
    "--store",
    "reference",
    required=True,
    type=click.Path(path_type=Path),
    help="Reference: a store of 'bioseq embed'. Its model and options embed the input too.",
)
@click.option(
    "--labels",
    required=True,
    type=click.Path(path_type=Path),
    help="CSV, TSV or Parquet file with labels of the reference's records.",
)
@click.option("--column", required=True, help="Column of the labels.")
@click.option("--id", default="id", show_default=True, help="Column of the records' ids.")
@click.option("--where", default="", help="COLUMN=VALUE: only such rows of the labels.")
@click.option(
    "--kind",
    type=click.Choice(["classes", "value"]),
    help="What labels are.  [default: a value where all are numbers]",
)
@click.option("--embedding", help="Which of the store's.  [default: the one per sequence]")
@click.option(
    "--neighbours",
    type=click.IntRange(min=1),
    default=5,
    show_default=True,
    help="How many count, each by its distance.",
)
@click.option(
    "--metric",
    type=click.Choice(["euclidean", "cosine"]),
    default="euclidean",
    show_default=True,
    help="Distance between vectors.",
)
@click.option("--model", help="Where the reference's model is.  [default: its name in the store]")
@store_option
@click.option(
    "--export",
    "exports",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Also write FILE.csv, .tsv or .parquet: a row per record, with the neighbours' ids.",
)
@machine_options
@input_options
@click.option("--overwrite", is_flag=True, help="Replace existing files.")
def nearest(
    inputs: tuple[str, ...],
    *,
    reference: Path,
    output: Path,
    exports: tuple[Path, ...],
    overwrite: bool,
    **options: Any,
) -> None:
    """Transfer labels from the nearest sequences of an embedded reference.

    Reads the formats of 'bioseq embed' ('-' reads standard input) and writes probabilities of the
    classes, or values, to one HDF5 store, with the neighbours and their distances. The search is
    exact. Interrupted and repeated, it goes on where it stopped.
    """
    from bioseq.prediction.nearest import NearestOptions, export_neighbours, predict_nearest
    from bioseq.prediction.nearest.table import prepare_table
    from bioseq.store import open_store

    for export in exports:
        prepare_table(export, overwrite=overwrite)
    given = {name: value for name, value in options.items() if value is not None}
    with EmbedProgress("comparing") as progress:
        store = predict_nearest(
            inputs,
            output,
            NearestOptions(store=reference, **given),
            overwrite=overwrite,
            progress=progress,
        )
    with store:
        with open_store(reference) as known:
            for export in exports:
                export_neighbours(store, known, export)
        _print_summary(store, options["column"], exports)
        end_with(store)


def _print_summary(store: Store, column: str, exports: tuple[Path, ...]) -> None:
    """Writes what was found."""
    from bioseq.prediction.tasks.summary import describe_target

    made = store.provenance
    click.echo(f"records  {len(store):,} ({store.num_sequences:,} distinct sequences)")
    click.echo(
        f"reference  {made['reference_records']:,} records with one of "
        f"{made['reference_labels']:,} labels"
    )
    if store.num_sequences:
        click.echo(f"{column}  {describe_target(store.predictions[column])}")
    click.echo(f"failures  {len(store.failures):,}")
    click.echo(f"file  {describe_file(store)}")
    for export in exports:
        click.echo(f"export  {export}")
