"""`bioseq predict`: one module for each of its commands."""

from __future__ import annotations

import click

from bioseq_cli.predict.variants import variants


@click.group()
def predict() -> None:
    """Predict properties, contacts, structures and variant effects."""


predict.add_command(variants)
