"""`bioseq store`: look at, check, merge, export and import stores."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

_FILE = click.Path(path_type=Path)
EXIT_PROBLEMS = 1


@click.group()
def store() -> None:
    """Look at, check, merge, export and import stores."""


@store.command()
@click.argument("path", type=_FILE)
@click.option("--json", "as_json", is_flag=True, help="Everything, as JSON.")
def info(path: Path, as_json: bool) -> None:
    """Show what a store holds."""
    from bioseq.store import open_store

    with open_store(path) as opened:
        found: Any = opened.info()
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    click.echo(f"{path}: {found['bytes'] / 2**20:.1f} MiB, made {found['created']}")
    click.echo(
        f"{found['num_records']:,} records, {found['num_sequences']:,} distinct sequences, "
        f"{found['num_failures']:,} failures"
    )
    for name, values in found["values"].items():
        shape = f"{values['shape']}, {values['dim']} x {values['dtype']}"
        known = [f"{field} {values[field]}" for field in ("model", "layer") if field in values]
        click.echo(f"  {name}: {shape}{'; ' if known else ''}{', '.join(known)}")


@store.command()
@click.argument("path", type=_FILE)
def failures(path: Path) -> None:
    """List the records without a result, tab-separated: number, id, reason."""
    from bioseq.store import open_store

    with open_store(path) as opened:
        for row in opened.failures.iter_rows(named=True):
            click.echo(f"{row['record'] + 1}\t{row['id']}\t{row['reason']}")


@store.command()
@click.argument("path", type=_FILE)
def check(path: Path) -> None:
    """Check a store against the written format, every byte included."""
    from bioseq.store import check_store

    problems = check_store(path)
    for problem in problems:
        click.echo(f"{path}: {problem}", err=True)
    if problems:
        sys.exit(EXIT_PROBLEMS)
    click.echo(f"{path}: a complete store in which every rule of the format holds")


@store.command()
@click.argument("inputs", nargs=-1, required=True, type=_FILE, metavar="STORE...")
@click.option("-o", "--output", required=True, type=_FILE, help="Merged store to write.")
@click.option("--plan", type=_FILE, help="The plan whose shards these are.")
@click.option("--overwrite", is_flag=True, help="Replace an existing store.")
def merge(inputs: tuple[Path, ...], output: Path, plan: Path | None, overwrite: bool) -> None:
    """Join stores made with the same settings, in the order given.

    With --plan, STORE is the folder of its shards (shard-00001.h5 and so on). Each of them is
    compared with the plan first: missing, damaged and foreign ones are named.
    """
    from bioseq.store import merge_stores, open_store

    if plan is None:
        merge_stores(inputs, output, overwrite=overwrite)
        count = len(inputs)
    else:
        count = _merge_shards(plan, inputs, output, overwrite=overwrite)
    with open_store(output) as merged:
        click.echo(f"{output}: {len(merged):,} records of {count} stores")


def _merge_shards(plan: Path, inputs: tuple[Path, ...], output: Path, *, overwrite: bool) -> int:
    """Merges the shards in a folder; gives their number."""
    from bioseq.shards import merge_shards, read_plan

    if len(inputs) != 1 or not inputs[0].is_dir():
        problem = "with --plan, STORE is one folder that holds the shards"
        raise click.UsageError(problem)
    found = read_plan(plan)
    merge_shards(found, inputs[0], output, overwrite=overwrite)
    return len(found.shards)


@store.command()
@click.argument("path", type=_FILE)
@click.option("-o", "--output", required=True, type=_FILE, help="File to write.")
@click.option("--name", default="mean", show_default=True, help="Embedding, or predictions/TASK.")
@click.option(
    "--layout",
    required=True,
    type=click.Choice(["parquet", "npy", "npz", "uniprot", "bio_embeddings", "anndata"]),
    help="Layout of the file.",
)
@click.option("--overwrite", is_flag=True, help="Replace an existing file.")
def export(path: Path, output: Path, name: str, layout: str, overwrite: bool) -> None:
    """Write an embedding in a layout that other tools read."""
    from bioseq.store import open_store
    from bioseq.store.layouts import export_store

    with open_store(path) as opened:
        export_store(opened, output, layout=layout, name=name, overwrite=overwrite)
    click.echo(f"{output}: {output.stat().st_size / 2**20:.1f} MiB")


@store.command(name="import")
@click.argument("path", type=_FILE)
@click.option("-o", "--output", required=True, type=_FILE, help="Store to write.")
@click.option("--name", help="Name of the embedding.  [default: pooled or residue]")
@click.option(
    "--sequences",
    type=_FILE,
    help="The sequences that were embedded; gives ids, order and digests.",
)
@click.option("--overwrite", is_flag=True, help="Replace an existing store.")
def import_(
    path: Path, output: Path, name: str | None, sequences: Path | None, overwrite: bool
) -> None:
    """Make a store of embeddings that another tool wrote; their layout is recognised."""
    from bioseq.io import open_records
    from bioseq.store import open_store
    from bioseq.store.layouts import import_store

    if sequences is None:
        import_store(path, output, name=name, overwrite=overwrite)
    else:
        with open_records(sequences) as records:
            import_store(path, output, name=name, records=records, overwrite=overwrite)
    with open_store(output) as made:
        click.echo(f"{output}: {len(made):,} records, {', '.join(made.value_paths)}")
