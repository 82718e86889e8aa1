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
    """Train what the SETTINGS file (TOML) says.

    With [[targets]] it is a predictor: a head on the states of an encoder, which is frozen or
    trained with it, from a table of labels. Otherwise it is an encoder, as a language model.
    Interrupted and repeated, training goes on from its last checkpoint.
    """
    from bioseq.training.predictor.settings import is_predictor

    if is_predictor(settings):
        _train_predictor(settings, output)
    else:
        _train_encoder(settings, output)


def _train_predictor(settings: Path, output: Path) -> None:
    from bioseq.training.predictor import load_predictor_settings, train_predictor

    result = train_predictor(load_predictor_settings(settings), output, _report)
    if not _is_first():
        return
    click.echo(f"predictor  {result.folder} ({result.parameters:,} parameters)")
    click.echo(
        f"sequences  {result.train_sequences:,} train, {result.valid_sequences:,} valid, "
        f"{result.test_sequences:,} test; {result.leaks:,} held out resemble a training sequence"
    )


def _train_encoder(settings: Path, output: Path) -> None:
    from bioseq.training import load_settings, pretrain

    result = pretrain(load_settings(settings), output, _report)
    if not _is_first():
        return
    click.echo(f"model       {result.folder} ({result.parameters:,} parameters)")
    click.echo(f"test part   {result.test_sequences:,} sequences")
    click.echo(f"perplexity  {result.test_perplexity:.3f}")
    click.echo(f"unigram     {result.unigram_perplexity:.3f}")


def _is_first() -> bool:
    """Whether this process, of all that train, is the one that speaks."""
    from torch import distributed

    return not distributed.is_initialized() or distributed.get_rank() == 0


def _report(line: str) -> None:
    click.echo(line, err=True)
