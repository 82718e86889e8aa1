"""`bioseq evaluate`."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("settings", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the table: .csv, or .md; a page that is there needs two marks for it.",
)
@click.option(
    "--resamples",
    type=click.IntRange(min=10),
    default=200,
    show_default=True,
    help="For the 95 % confidence intervals.",
)
def evaluate(settings: Path, output: Path | None, resamples: int) -> None:
    """Judge predictors on the test sets of the SETTINGS file (TOML), beside trivial baselines."""
    from bioseq.evaluation import evaluate as run
    from bioseq.evaluation import load_trials
    from bioseq.evaluation.report import check_report, write_report

    if output is not None:
        check_report(output)
    rows = run(load_trials(settings), settings.parent, click.echo, resamples=resamples)
    if output is not None:
        write_report(rows, output)
