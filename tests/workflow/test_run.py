"""`bioseq run` on this machine: the workflow's store is that of a single run."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bioseq.prediction.tasks import TaskOptions, predict_files
from bioseq.store import check_store, content_digest, open_store

if TYPE_CHECKING:
    from tests.workflow.conftest import Project

pytestmark = pytest.mark.slow

COMMAND = [sys.executable, "-c", "from bioseq_cli.main import main; main()"]


def digest_of(path: Path) -> str:
    assert check_store(path) == []
    with open_store(path) as store:
        return content_digest(store)


def run(project: Project, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, "run", *arguments],
        cwd=project.folder,
        env=project.environment,
        capture_output=True,
        text=True,
    )


def test_a_workflow_gives_the_content_of_a_single_run(
    project: Project, single_run: Callable[[], Path]
) -> None:
    planned = run(project, "embed", "--config", "config.yaml", "--dry-run")
    assert planned.returncode == 0, planned.stderr
    assert "shards  3 of 2" in planned.stdout
    assert not (project.folder / "results/embeddings").exists()

    done = run(project, "embed", "--config", "config.yaml", "--cores", "2")
    assert done.returncode == 0, done.stderr
    merged = project.folder / "results/embeddings/small.h5"
    assert digest_of(merged) == digest_of(single_run())
    assert (project.folder / "results/figures/small.svg").read_text().rstrip().endswith("</svg>")
    assert list((project.folder / "results/shards/small").glob("*")) == []

    again = run(project, "embed", "--config", "config.yaml")
    assert "Nothing to be done" in again.stdout + again.stderr


def test_predictions_are_made_in_shards_with_the_content_of_a_single_run(project: Project) -> None:
    project.configure(tasks=["disorder"])
    planned = run(project, "predict", "--config", "config.yaml", "--dry-run")
    assert planned.returncode == 0, planned.stderr
    assert "disorder/small\n" in planned.stdout
    done = run(project, "predict", "--config", "config.yaml", "--cores", "2")
    assert done.returncode == 0, done.stderr
    options = TaskOptions(tasks="disorder", tokens_per_batch=1)
    predict_files(project.fasta, project.folder / "whole.h5", options).close()
    merged = project.folder / "results/predictions/disorder/small.h5"
    assert digest_of(merged) == digest_of(project.folder / "whole.h5")


def test_a_damaged_shard_stops_the_workflow_and_is_named(project: Project) -> None:
    status, output = project.run("results/embeddings/small.h5", "--cores", "1", "--until", "plan")
    assert status == 0, output
    folder = project.folder / "results/shards/small"
    until = ("--cores", "1", "--until", "embed_shard", "--notemp")
    status, output = project.run("results/embeddings/small.h5", *until)
    assert status == 0, output
    shard = folder / "shard-00002.h5"
    damaged = bytearray(shard.read_bytes())
    damaged[damaged.index(b"number 40")] ^= 1
    shard.write_bytes(damaged)
    status, output = project.run("results/embeddings/small.h5", "--cores", "1")
    log = (project.folder / "logs/merge/small.log").read_text()
    assert status == 1
    assert "shard-00002.h5 (shard 2 of 3)" in log
    assert "checksum differs" in log
