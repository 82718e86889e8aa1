"""`bioseq predict variants`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bioseq_cli.options import language_options, machine_options, store_option
from bioseq_cli.outcome import describe_file, end_with
from bioseq_cli.progress import EmbedProgress

if TYPE_CHECKING:
    from bioseq.store import Store

_FILE = click.Path(path_type=Path)


@click.command()
@click.argument("wild_type", metavar="SEQUENCES", type=click.Path(path_type=Path))
@click.option(
    "--variants",
    type=_FILE,
    help="Table (.csv, .tsv, .parquet) with a column of substitutions such as A23C or A23C:D45E, "
    "or a file of variant sequences; SEQUENCES then holds their one wild type.  [default: every "
    "substitution of every sequence]",
)
@store_option
@click.option("--table", type=_FILE, help="Also a table: .parquet, .csv or .tsv.")
@click.option("--heatmap", type=_FILE, help="Also a picture of the scan of one sequence: .png.")
@click.option(
    "--strategy",
    type=click.Choice(
        ["wild-type-marginals", "masked-marginals", "pseudo-perplexity", "likelihood"]
    ),
    help="[default: masked-marginals; likelihood for models that read from left to right]",
)
@click.option("--column", help="Column of the table.  [default: mutant]")
@click.option(
    "--first-residue", type=int, help="Number of the wild type's first residue.  [default: 1]"
)
@language_options
@machine_options
@click.option("--overwrite", is_flag=True, help="Replace an existing store.")
def variants(
    wild_type: Path,
    variants: Path | None,
    output: Path,
    table: Path | None,
    heatmap: Path | None,
    overwrite: bool,
    **options: Any,
) -> None:
    """Score substitutions by how likely a language model finds them beside the wild type.

    Scores are natural logarithms: 0 as likely as the wild type, negative less likely. Interrupted
    and repeated, it goes on where it stopped.
    """
    from bioseq.errors import OptionError
    from bioseq.prediction.variants import VariantOptions, predict_variants, scan_proteins

    chosen = VariantOptions(**{name: v for name, v in options.items() if v is not None})
    if variants is not None and heatmap is not None:
        raise OptionError("heatmap", str(heatmap), allowed="none with --variants; it draws a scan")
    outputs: dict[str, Any] = {"table": table, "overwrite": overwrite}
    with EmbedProgress("scoring") as progress:
        if variants is not None:
            store = predict_variants(
                wild_type, output, chosen, variants=variants, progress=progress, **outputs
            )
        else:
            store = scan_proteins(
                wild_type, output, chosen, heatmap=heatmap, progress=progress, **outputs
            )
    with store:
        _print_summary(store)
        end_with(store)


def _print_summary(store: Store) -> None:
    """Writes the counts of a run."""
    run = store.provenance
    lines = {
        "records": f"{len(store):,} ({store.num_sequences:,} distinct sequences)",
        "strategy": f"{run['strategy']}, model {run['model']}",
        "seconds": f"{run['seconds']:.1f}",
        "failures": f"{len(store.failures):,}",
        "file": describe_file(store),
    }
    for name, text in lines.items():
        click.echo(f"{name:>9}  {text}")
