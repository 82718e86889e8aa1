"""`bioseq predict structure`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bioseq_cli.options import inputs_argument, store_option
from bioseq_cli.outcome import describe_file, end_with

if TYPE_CHECKING:
    from bioseq.store import Store


@click.command()
@inputs_argument
@store_option
@click.option(
    "--model",
    required=True,
    help="ESMFold (Hugging Face folder or fair-esm's file), AlphaFold 2 (params_model_*.npz) or "
    "OpenFold (.pt).",
)
@click.option("--language-model", help="ESM-2 that goes with fair-esm's ESMFold file.")
@click.option(
    "--mmcif", type=click.Path(path_type=Path, file_okay=False), help="Folder for mmCIF files."
)
@click.option(
    "--pdb", type=click.Path(path_type=Path, file_okay=False), help="Folder for PDB files."
)
@click.option(
    "--passes",
    "num_passes",
    type=click.IntRange(min=1),
    help="Passes through the model, each fed with the last.  [default: as published, 4]",
)
@click.option(
    "--max-extra",
    type=click.IntRange(min=1),
    default=5120,
    show_default=True,
    help="Most rows of an alignment that AlphaFold 2 reads beside its clusters.",
)
@click.option(
    "--seed",
    type=int,
    default=0,
    show_default=True,
    help="Of AlphaFold 2's choice of rows and masks.",
)
@click.option(
    "--templates",
    multiple=True,
    type=click.Path(path_type=Path),
    help="PDB or mmCIF file, or a folder of them, whose chains AlphaFold 2 may use as templates; "
    "several times for several.",
)
@click.option(
    "--distogram/--no-distogram",
    default=True,
    show_default=True,
    help="Keep the distogram: 64 numbers for each pair of residues.",
)
@click.option(
    "--memory",
    type=click.IntRange(min=1),
    metavar="MIB",
    help="Working memory beside the representations; changes no result.  [default: what is fast]",
)
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:1, mps.")
@click.option("--format", help="Format of the input.  [default: recognised]")
@click.option("--overwrite", is_flag=True, help="Replace an existing store.")
def structure(
    inputs: tuple[str, ...],
    output: Path,
    mmcif: Path | None,
    pdb: Path | None,
    overwrite: bool,
    **options: Any,
) -> None:
    """Predict where the atoms are: of every sequence, or of the query of every alignment.

    Reads files of sequences, A3M and Stockholm alignments, and folders of alignments. ESMFold reads
    the sequence alone, AlphaFold 2 the whole alignment. Interrupted and repeated, it goes on where
    it stopped.
    """
    from bioseq.prediction.structure import StructureOptions, predict_structures, write_structures

    given = StructureOptions(**options)
    store = predict_structures(
        inputs,
        output,
        given,
        overwrite=overwrite,
        report=lambda name, _: click.echo(name, err=True),
    )
    with store:
        for kind, folder in (("cif", mmcif), ("pdb", pdb)):
            if folder is not None:
                files = write_structures(store, inputs, folder, kind=kind, format=given.format)
                click.echo(f"     files  {len(files):,} in {folder}")
        _print_summary(store)
        end_with(store)


def _print_summary(store: Store) -> None:
    """Writes the counts of a run."""
    click.echo(f"   records  {len(store):,} ({store.num_sequences:,} distinct)")
    click.echo(f"    values  {', '.join(store.predictions)}")
    click.echo(f"  failures  {len(store.failures):,}")
    click.echo(f"      file  {describe_file(store)}")
