"""`bioseq predict likelihood`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bioseq_cli.options import (
    input_options,
    inputs_argument,
    language_options,
    machine_options,
    store_option,
)
from bioseq_cli.outcome import describe_file, end_with
from bioseq_cli.progress import EmbedProgress

if TYPE_CHECKING:
    from bioseq.store import Store


@click.command()
@inputs_argument
@store_option
@click.option(
    "--table",
    type=click.Path(path_type=Path),
    help="Also a table, a line for each record: .parquet, .csv or .tsv.",
)
@click.option(
    "--distribution",
    is_flag=True,
    help="Also the log-probability of every residue of the alphabet at every place.",
)
@click.option(
    "--strategy",
    type=click.Choice(["pseudo-perplexity", "wild-type-marginals", "likelihood"]),
    help="[default: pseudo-perplexity; likelihood for models that read from left to right]",
)
@language_options
@machine_options
@input_options
@click.option("--overwrite", is_flag=True, help="Replace an existing store.")
def likelihood(
    inputs: tuple[str, ...], output: Path, table: Path | None, overwrite: bool, **options: Any
) -> None:
    """Ask a language model how likely sequences are, and each of their residues.

    Reads the formats of 'bioseq embed' ('-' reads standard input). Interrupted and repeated, it
    goes on where it stopped.
    """
    from bioseq.prediction.likelihood import LikelihoodOptions, predict_likelihood

    chosen = LikelihoodOptions(**{name: v for name, v in options.items() if v is not None})
    with EmbedProgress("scoring") as progress:
        store = predict_likelihood(
            inputs, output, chosen, table=table, overwrite=overwrite, progress=progress
        )
    with store:
        _print_summary(store)
        end_with(store)


def _print_summary(store: Store) -> None:
    """Writes the counts of a run, and how the model finds the sequences."""
    from bioseq.prediction.likelihood.table import describe_perplexity

    run = store.provenance
    lines = {
        "records": f"{len(store):,} ({store.num_sequences:,} distinct sequences)",
        "strategy": f"{run['strategy']}, model {run['model']}",
        "perplexity": describe_perplexity(store),
        "seconds": f"{run['seconds']:.1f}",
        "failures": f"{len(store.failures):,}",
        "file": describe_file(store),
    }
    for name, text in lines.items():
        click.echo(f"{name:>10}  {text}")
