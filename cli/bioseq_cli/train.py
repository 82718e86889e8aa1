"""`bioseq train`."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("settings", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for checkpoints, log and model.",
)
def train(settings: Path, output: Path) -> None:
    """Train an encoder as a language model, as the SETTINGS file (TOML) says.

    Interrupted and repeated, it goes on from its last checkpoint.
    """
    from bioseq.train import load_settings, pretrain

    result = pretrain(load_settings(settings), output, lambda line: click.echo(line, err=True))
    click.echo(f"model       {result.folder} ({result.parameters:,} parameters)")
    click.echo(f"test part   {result.test_sequences:,} sequences")
    click.echo(f"perplexity  {result.test_perplexity:.3f}")
    click.echo(f"unigram     {result.unigram_perplexity:.3f}")
