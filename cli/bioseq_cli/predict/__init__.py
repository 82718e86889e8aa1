"""`bioseq predict`: one module for each of its commands."""

from __future__ import annotations

import click


@click.group()
def predict() -> None:
    """Predict properties, contacts, structures and variant effects."""
