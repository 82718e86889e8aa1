"""The rules keep what a cluster asks of them, and refuse a wrong configuration by name."""

from __future__ import annotations

import re
import resource
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

if TYPE_CHECKING:
    from tests.workflow.conftest import Project

ROOT = Path(__file__).parent.parent.parent
RULES = sorted((ROOT / "pipelines" / "rules").glob("*.smk"))
PROFILES = sorted((ROOT / "pipelines" / "profiles").iterdir())
HEAVY = ("log:", "benchmark:", "conda:", "threads:", "resources:", "shell:")


def heavy_rules() -> list[tuple[str, str]]:
    """Lists the rules that run a command: name and text."""
    found = []
    for path in RULES:
        for text in re.split(r"^rule ", path.read_text(), flags=re.MULTILINE)[1:]:
            if "localrule: True" not in text:
                found.append((text.partition(":")[0], text))
    return found


@pytest.mark.parametrize(("name", "text"), heavy_rules(), ids=[name for name, _ in heavy_rules()])
def test_a_heavy_rule_says_what_it_needs_and_leaves_retries_to_the_profile(
    name: str, text: str
) -> None:
    assert [word for word in HEAVY if f"\n    {word}" not in text] == []
    assert "retries:" not in text  # the SLURM executor squares them


def test_the_snakefile_is_short() -> None:
    assert len((ROOT / "Snakefile").read_text().splitlines()) <= 40


@pytest.mark.parametrize("profile", PROFILES, ids=lambda path: path.name)
def test_profiles_retry_finish_incomplete_files_and_schedule_fast(profile: Path) -> None:
    settings = yaml.safe_load((profile / "config.yaml").read_text())
    assert settings["retries"] >= 1
    assert settings["rerun-incomplete"]
    assert settings["scheduler"] == "greedy"
    if settings.get("executor") == "slurm":
        assert settings["slurm-status-command"] == "squeue"
        assert settings["latency-wait"] >= 60
        assert "slurm-array-jobs" not in settings


@pytest.mark.slow
@pytest.mark.parametrize(
    ("rows", "found"),
    [
        (["sample path", "a input.fasta", "b/c input.fasta"], r"line 3 \(sample 'b/c'\): 'b/c'"),
        (["sample path", "a"], r"line 2 \(sample 'a'\): 'path' is a required property"),
        (["sample path shards", "a input.fasta 0"], r"line 2 \(sample 'a'\): '0' does not match"),
        (["sample path", "a input.fasta more"], r"line 2 \(sample 'a'\): .*more than the header"),
        (
            ["sample path shards", "a input.fasta 2", "a input.fasta 3"],
            r"line 3 \(sample 'a'\): 3 shards, but 2 in a row before",
        ),
        (["sample path"], r"samples.tsv: no sample"),
    ],
)
def test_a_wrong_row_of_the_sheet_is_named(project: Project, rows: list[str], found: str) -> None:
    project.write_sheet(*rows)
    status, output = project.run("-n")
    assert status == 1
    assert re.search(found, output), output


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"shards": 0}, "0 is less than the minimum of 1"),
        ({"colour": "red"}, "'colour' was unexpected"),
        ({"embedding": {"pool": ["median"]}}, "'median' is not one of"),
        ({"tasks": ["; rm"]}, "'; rm' does not match"),
    ],
)
def test_a_wrong_setting_is_named(project: Project, change: dict[str, object], found: str) -> None:
    project.configure(**change)
    status, output = project.run("-n")
    assert status == 1
    assert found in output


@pytest.mark.slow
def test_predictions_are_asked_of_every_task_and_sample(project: Project) -> None:
    project.configure(tasks=["disorder", "secondary-structure"])
    status, output = project.run("predict", "-n", "--printshellcmds")
    assert status == 0, output
    assert "--task secondary-structure" in output
    assert "bioseq predict disorder --plan results/plans/disorder/small.parquet" in output
    assert re.search(r"predict_shard +6", output)
    assert re.search(r"merge_predictions +2", output)


@pytest.mark.slow
def test_another_workflow_can_use_the_rules(project: Project) -> None:
    (project.folder / "Snakefile").write_text(
        f"""
configfile: "config.yaml"
module bioseq:
    snakefile: "{ROOT}/Snakefile"
    config: config
use rule * from bioseq as bioseq_*
rule mine:
    default_target: True
    input: rules.bioseq_embed.input
"""
    )
    answer = subprocess.run(
        [sys.executable, "-m", "snakemake", "-n"],
        cwd=project.folder,
        capture_output=True,
        text=True,
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert re.search(r"bioseq_embed_shard +3", answer.stdout)


@pytest.mark.slow
def test_a_dry_run_of_ten_thousand_shards_takes_less_than_a_minute(project: Project) -> None:
    project.configure(shards=10_000)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    status, output = project.run("-n", "--quiet", "rules")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert status == 0, output
    assert re.search(r"embed_shard +10000", output)
    # CPU time, not wall time: a busy machine must not fail the test.
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 60
