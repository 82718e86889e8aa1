"""`bioseq predict contacts`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bioseq_cli.options import alignment_options, inputs_argument, store_option
from bioseq_cli.outcome import describe_file, end_with

if TYPE_CHECKING:
    from bioseq.store import Store


@click.command()
@inputs_argument
@store_option
@click.option(
    "--model",
    help="axial-contacts, mfdca, mi, or the files of an MSA Transformer, ESM-1b or ESM-2.  "
    "[default: axial-contacts]",
)
@alignment_options
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:1, mps.")
@click.option(
    "--save-as",
    type=click.Choice(["float32", "float16"]),
    default="float32",
    show_default=True,
    help="Number format in the store.",
)
@click.option("--format", help="a3m or stockholm.  [default: recognised]")
@click.option(
    "--picture",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for a picture of each map.",
)
@click.option("--overwrite", is_flag=True, help="Replace an existing store.")
def contacts(
    inputs: tuple[str, ...], output: Path, picture: Path | None, overwrite: bool, **options: Any
) -> None:
    """Predict which residues touch, from alignments: A3M or Stockholm files, or folders of them.

    The query is the first row. ESM-1b and ESM-2 read sequences alone: FASTA and every other
    format of 'bioseq embed'. Interrupted and repeated, it goes on where it stopped.
    """
    from bioseq.prediction.contacts import ContactOptions, predict_contacts
    from bioseq.prediction.contacts.picture import draw_contacts

    given = {name: value for name, value in options.items() if value is not None}
    store = predict_contacts(
        inputs,
        output,
        ContactOptions(**given),
        overwrite=overwrite,
        report=lambda name, _: click.echo(name, err=True),
    )
    with store:
        if picture is not None:
            pictures = draw_contacts(store, picture)
            click.echo(f"  pictures  {len(pictures):,} in {picture}")
        _print_summary(store)
        end_with(store)


def _print_summary(store: Store) -> None:
    """Writes the counts of a run."""
    view = store.predictions["contacts"]
    click.echo(f"   records  {len(store):,} ({store.num_sequences:,} distinct alignments)")
    click.echo(f"    values  {view.attrs['gives']} per pair of residues, {view.attrs['model']}")
    click.echo(f"  failures  {len(store.failures):,}")
    click.echo(f"      file  {describe_file(store)}")
