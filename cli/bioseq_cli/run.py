"""`bioseq run`: the workflows, for those who do not know Snakemake."""

from __future__ import annotations

import csv
import importlib.util
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from bioseq_cli.plan import describe_plan

WORKFLOWS = ("all", "embed", "predict", "train_bundled", "evaluate", "benchmark", "compare")
APART = {"compare": "pipelines/research/compare/Snakefile"}
"""Workflows with a Snakefile and a configuration of their own; only the sources have them."""
PLANNED = {
    "all": ("plans", "prediction_plans"),
    "embed": ("plans",),
    "predict": ("prediction_plans",),
}
"""The rules that make the plans of a workflow."""
DEFAULT_CONFIG = Path("pipelines/config/config.yaml")


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("workflow", type=click.Choice(WORKFLOWS))
@click.option(
    "--config",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help=f"What is computed, a YAML file.  [default: {DEFAULT_CONFIG}]",
)
@click.option(
    "--profile",
    default="local",
    show_default=True,
    help="Where it runs: local, slurm, slurm-gpu, or the folder of a profile of your own.",
)
@click.option(
    "--dry-run",
    is_flag=True,
    help="Make the plans only, and say what the rest would do and cost.",
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[SNAKEMAKE OPTIONS]...")
def run(
    workflow: str, config: Path | None, profile: str, dry_run: bool, arguments: tuple[str, ...]
) -> None:
    """Run a workflow in the current folder, through Snakemake.

    Interrupted and repeated, it goes on where it stopped. Options that follow go to Snakemake.
    """
    from bioseq_cli.cluster import check_cluster, find_profile

    _check_snakemake()
    _check_sources(workflow)
    folder = find_profile(profile, workflow_folder() / "pipelines/profiles")
    # A configuration of one's own stands for itself, also where there is a default one.
    given = ["--replace-workflow-config", "--configfile", str(config)] if config else []
    if dry_run:
        for rule in PLANNED.get(workflow, ()):
            _show_plans(rule, config or DEFAULT_CONFIG, given)
        dry = ["--cores", "1", "-n", "--quiet", "rules"]
        sys.exit(_snakemake(workflow, given, [*dry, *arguments]))
    check_cluster(folder)
    sys.exit(_snakemake(workflow, given, ["--profile", str(folder), *arguments]))


def workflow_folder() -> Path:
    """Returns the folder that holds the Snakefile: in the installed package, or in the sources."""
    installed = Path(__file__).parent / "workflows"
    return installed if installed.is_dir() else Path(__file__).parents[2]


def _check_snakemake() -> None:
    from bioseq.errors import MissingDependencyError

    if importlib.util.find_spec("snakemake") is None:
        raise MissingDependencyError("snakemake", extra="workflow")


def _check_sources(workflow: str) -> None:
    snakefile = APART.get(workflow)
    if snakefile is not None and not (workflow_folder() / snakefile).is_file():
        message = (
            f"{workflow} is research and not in the installed package: run it from the sources"
        )
        raise click.UsageError(message)


def _snakemake(target: str, given: Sequence[str], arguments: Sequence[str]) -> int:
    """Runs Snakemake with this `bioseq` first on the path of its jobs; gives its status."""
    scripts = str(Path(sys.executable).parent)
    environment = os.environ | {"PATH": os.pathsep.join([scripts, os.environ.get("PATH", "")])}
    snakefile = str(workflow_folder() / APART.get(target, "Snakefile"))
    command = [sys.executable, "-m", "snakemake", target, "--snakefile", snakefile]
    return subprocess.run([*command, *given, *arguments], check=False, env=environment).returncode


def _show_plans(rule: str, config: Path, given: Sequence[str]) -> None:
    """Makes the plans of all samples, here, and prints what they say."""
    from bioseq.shards import read_plan

    status = _snakemake(rule, given, ["--cores", "1", "--quiet", "all"])
    if status:
        sys.exit(status)
    for path in _plans_of(rule, config):
        click.echo(path.with_suffix("").relative_to("results/plans"))
        for name, text in describe_plan(read_plan(path)).items():
            click.echo(f"{name:>9}  {text}")


def _plans_of(rule: str, config: Path) -> list[Path]:
    """Lists the plans that a rule makes."""
    import yaml  # comes with Snakemake

    settings = yaml.safe_load(config.read_text())
    with Path(settings["samples"]).open(newline="") as file:
        samples = dict.fromkeys(row["sample"] for row in csv.DictReader(file, delimiter="\t"))
    tasks = settings.get("tasks", []) if rule == "prediction_plans" else [""]
    return [
        Path("results/plans", task, f"{sample}.parquet") for task in tasks for sample in samples
    ]
