"""`bioseq predict TASK`: one command for each bundled predictor, `all` and `custom`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bioseq.prediction.catalogue import bundled_titles
from bioseq_cli.options import input_options, machine_options, store_option
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


_OPTIONS = (
    store_option,
    click.option(
        "--export",
        "exports",
        multiple=True,
        type=click.Path(path_type=Path),
        help="Also write FILE.fasta (a letter per residue), .csv, .tsv, .parquet (a row per "
        "record) or .gff3 (segments); several times for several files.",
    ),
    click.option(
        "--alignments",
        is_flag=True,
        help="Each input is an alignment (A3M, Stockholm) or a folder of them: predicts the first "
        "row; of each residue the mean over all rows.",
    ),
    click.option(
        "--max-depth",
        type=click.IntRange(min=1),
        help="Rows of an alignment to read, of more the most different ones.  [default: 64]",
    ),
    click.option(
        "--precision",
        type=click.Choice(["float32", "bfloat16", "float16"]),
        default="float32",
        show_default=True,
        help="Number format of the encoder.",
    ),
    machine_options,
    input_options,
    shard_options,
    click.option("--overwrite", is_flag=True, help="Replace existing files."),
)


def add_task_commands(group: click.Group) -> None:
    """Adds the commands to a group."""
    for task, text in bundled_titles().items():
        group.add_command(_build_command(task, text))
    group.add_command(
        _build_command("all", "Every bundled predictor of proteins, or of DNA, in one run.")
    )
    group.add_command(_custom)


def _with_options(command: Callable[..., None]) -> Callable[..., None]:
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def _build_command(task: str, text: str) -> click.Command:
    details = (
        "Reads the formats of 'bioseq embed' ('-' reads standard input) and writes calibrated "
        "probabilities to one HDF5 store. Interrupted and repeated, it goes on where it stopped. "
        "With --plan and --shard it predicts one part of inputs that 'bioseq plan --task' divided."
    )

    @click.command(name=task, help=f"{text}\n\n{details}", short_help=text)
    @planned_inputs_argument
    @_with_options
    def command(inputs: tuple[str, ...], **options: Any) -> None:
        _predict(task, inputs, **options)

    return command


@click.command(name="custom")
@click.argument("predictor", type=click.Path(path_type=Path))
@planned_inputs_argument
@_with_options
def _custom(predictor: Path, inputs: tuple[str, ...], **options: Any) -> None:
    """Predict with a PREDICTOR folder of your own, made by 'bioseq train'."""
    _predict(predictor, inputs, **options)


def _predict(
    task: str | Path,
    inputs: tuple[str, ...],
    *,
    output: Path,
    plan: Path | None,
    shard: int | None,
    exports: tuple[Path, ...],
    alignments: bool,
    max_depth: int | None,
    overwrite: bool,
    **options: Any,
) -> None:
    from bioseq.prediction.tasks import TaskOptions, predict_alignments, predict_files
    from bioseq.prediction.tasks.exports import export_predictions, prepare_exports

    check_source(inputs, plan, shard)
    if max_depth is not None and not alignments:
        problem = "--max-depth goes with --alignments"
        raise click.UsageError(problem)
    prepare_exports(exports, overwrite=overwrite)
    with EmbedProgress("predicting") as progress:
        if plan is not None and shard is not None:
            store = compute_planned(
                plan,
                shard,
                output,
                purpose="predict",
                task=str(task),
                overwrite=overwrite,
                progress=progress,
                options=options,
            )
        else:
            given = {name: value for name, value in options.items() if value is not None}
            wanted = TaskOptions(tasks=str(task), **given)
            kept: dict[str, Any] = {"overwrite": overwrite, "progress": progress}
            if alignments:
                depth = {} if max_depth is None else {"max_depth": max_depth}
                store = predict_alignments(inputs, output, wanted, **depth, **kept)
            else:
                store = predict_files(inputs, output, wanted, **kept)
    with store:
        for export in exports:
            export_predictions(store, export)
        _print_summary(store, exports)
        end_with(store)


def _print_summary(store: Store, exports: tuple[Path, ...]) -> None:
    """Writes what was found."""
    from bioseq.prediction.tasks.summary import summarise

    lines = {
        "records": f"{len(store):,} ({store.num_sequences:,} distinct sequences)",
        **summarise(store),
        "failures": f"{len(store.failures):,}",
        "file": describe_file(store),
    }
    for name, text in lines.items():
        click.echo(f"{name}  {text}")
    for export in exports:
        click.echo(f"export  {export}")
