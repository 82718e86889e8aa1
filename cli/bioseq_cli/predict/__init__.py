"""`bioseq predict`: one module for each of its commands."""

from __future__ import annotations

import click

from bioseq_cli.predict.contacts import contacts
from bioseq_cli.predict.likelihood import likelihood
from bioseq_cli.predict.nearest import nearest
from bioseq_cli.predict.structure import structure
from bioseq_cli.predict.tasks import add_task_commands
from bioseq_cli.predict.variants import variants


@click.group()
def predict() -> None:
    """Predict properties, contacts, structures, likelihoods and variant effects."""


add_task_commands(predict)
for command in (contacts, likelihood, nearest, structure, variants):
    predict.add_command(command)
