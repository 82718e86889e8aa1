"""`bioseq embed`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bioseq_cli.options import (
    alignment_options,
    embedding_options,
    machine_options,
    options_from,
    store_option,
)
from bioseq_cli.outcome import describe_file, end_with
from bioseq_cli.progress import EmbedProgress
from bioseq_cli.shards import (
    check_source,
    compute_planned,
    planned_inputs_argument,
    shard_options,
)

if TYPE_CHECKING:
    from bioseq.store import Store


@click.command()
@planned_inputs_argument
@store_option
@embedding_options
@click.option("--pair", is_flag=True, help="Alignments: also one vector per pair of residues.")
@alignment_options
@machine_options
@shard_options
@click.option("--overwrite", is_flag=True, help="Replace an existing store.")
def embed(
    inputs: tuple[str, ...],
    output: Path,
    plan: Path | None,
    shard: int | None,
    overwrite: bool,
    **options: Any,
) -> None:
    """Embed every record of the INPUT files ('-' reads standard input) into one HDF5 store.

    Reads FASTA, FASTQ, GenBank, EMBL, UniProt, SeqXML, PIR, PDB, mmCIF, A3M and Stockholm,
    compressed or not. Interrupted and repeated, it goes on where it stopped.

    A model that reads alignments takes each A3M or Stockholm file, or each of a folder, as one
    record and embeds its query; other models take every row as a record.

    With --plan and --shard it embeds one part of inputs that 'bioseq plan' has divided.
    """
    check_source(inputs, plan, shard)
    with EmbedProgress() as progress:
        if plan is not None and shard is not None:
            store = compute_planned(
                plan,
                shard,
                output,
                purpose="embed",
                overwrite=overwrite,
                progress=progress,
                options=options,
            )
        else:
            from bioseq.embedding import embed_files

            store = embed_files(
                inputs, output, options_from(options), overwrite=overwrite, progress=progress
            )
    with store:
        _print_summary(store)
        end_with(store)


def _print_summary(store: Store) -> None:
    """Writes the counts of a run."""
    lines = {
        "records": f"{len(store):,} ({store.num_sequences:,} distinct sequences)",
        **_describe_run(store.provenance),
        "failures": f"{len(store.failures):,}",
        "values": ", ".join(
            f"{path.partition('/')[2]} [{store.values_at(path).dim}]" for path in store.value_paths
        ),
        "file": describe_file(store),
    }
    for name, text in lines.items():
        click.echo(f"{name:>9}  {text}")


def _describe_run(run: dict[str, Any]) -> dict[str, str]:
    """Returns what was read and computed; a store that was merged does not know."""
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
