"""`bioseq embed`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bioseq_cli.parameters import CommaList
from bioseq_cli.progress import EmbedProgress

if TYPE_CHECKING:
    from bioseq.store import Store

EXIT_FAILURES = 3
_SHOWN_FAILURES = 5


@click.command()
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(path_type=Path),
    help="HDF5 store to write.",
)
@click.option("--model", help="Bundled model or model folder.  [default: protein-lstm]")
@click.option(
    "--pool",
    type=CommaList(str, "pooling"),
    default="mean",
    show_default=True,
    help="Per sequence: mean, max, std, cls, last, mean_tokens, cell; several with commas, or "
    "'none'.",
)
@click.option("--per-residue", is_flag=True, help="Also one vector per residue.")
@click.option(
    "--layers",
    type=CommaList(int, "layer"),
    default="-1",
    show_default=True,
    help="Layers, from 0 (the embedded input) or counted from the last (-1); several with commas.",
)
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:1, mps.")
@click.option(
    "--precision",
    type=click.Choice(["float32", "bfloat16", "float16"]),
    default="float32",
    show_default=True,
    help="Number format of the computation.",
)
@click.option(
    "--save-as",
    type=click.Choice(["float32", "float16"]),
    default="float32",
    show_default=True,
    help="Number format in the store.",
)
@click.option(
    "--tokens-per-batch",
    type=click.IntRange(min=1),
    help="Tokens at a time; changes no result.  [default: from the machine's memory]",
)
@click.option(
    "--window",
    type=click.IntRange(min=1),
    help="Tokens at a time beyond an attention encoder's limit.  [default: the limit]",
)
@click.option(
    "--overlap", type=click.IntRange(min=0), help="Tokens that windows share.  [default: a quarter]"
)
@click.option(
    "--molecule",
    type=click.Choice(["protein", "dna", "rna"]),
    help="What the input is.  [default: what it says or looks like]",
)
@click.option("--format", help="Format of the input.  [default: recognised]")
@click.option("--overwrite", is_flag=True, help="Replace an existing store.")
def embed(inputs: tuple[str, ...], output: Path, overwrite: bool, **options: Any) -> None:
    """Embed every record of the INPUT files ('-' reads standard input) into one HDF5 store.

    Reads FASTA, FASTQ, GenBank, EMBL, UniProt, SeqXML, PIR, PDB, mmCIF, A3M and Stockholm,
    compressed or not. Interrupted and repeated, it goes on where it stopped.
    """
    from bioseq.embed import EmbedOptions, embed_files

    if options["pool"] == ["none"]:
        options["pool"] = []
    given = {name: value for name, value in options.items() if value is not None}
    with EmbedProgress() as progress:
        store = embed_files(
            inputs, output, EmbedOptions(**given), overwrite=overwrite, progress=progress
        )
    with store:
        num_failures = _print_summary(store)
    sys.exit(EXIT_FAILURES if num_failures else 0)


def _print_summary(store: Store) -> int:
    """Writes the counts of a run; gives the number of failures."""
    failures = store.failures
    lines = {
        "records": f"{len(store):,} ({store.num_sequences:,} distinct sequences)",
        **_describe_run(store.provenance),
        "failures": f"{len(failures):,}",
        "values": ", ".join(
            f"{path.partition('/')[2]} [{store.values_at(path).dim}]" for path in store.value_paths
        ),
        "file": f"{store.path} ({store.path.stat().st_size / 2**20:.1f} MiB)",
    }
    for name, text in lines.items():
        click.echo(f"{name:>9}  {text}")
    for row in failures.head(_SHOWN_FAILURES).iter_rows(named=True):
        click.echo(f"  failed: record {row['record'] + 1} ({row['id']}): {row['reason']}", err=True)
    if len(failures) > _SHOWN_FAILURES:
        more = len(failures) - _SHOWN_FAILURES
        click.echo(f"  and {more:,} more: bioseq store failures {store.path}", err=True)
    return len(failures)


def _describe_run(run: dict[str, Any]) -> dict[str, str]:
    """Says what was read and computed; a store that was merged does not know."""
    if run.get("made_by") != "embed":
        return {}
    symbols = run["symbols"]
    touched = [
        f"{symbols['lower_case']:,} lower-case read as upper case",
        f"{symbols['ambiguous']:,} ambiguous",
        f"{run['unknown_tokens']:,} tokens unknown to the model",
    ]
    rate = run["computed_residues"] / max(run["seconds"], 1e-9)
    return {
        "residues": f"{symbols['residues']:,} {run['molecule']} ({'; '.join(touched)})",
        "computed": f"{run['computed_residues']:,} residues in {run['seconds']:.1f} s "
        f"({rate:,.0f} residues/s)",
    }
