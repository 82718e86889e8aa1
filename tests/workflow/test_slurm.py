"""The embedding workflow on a real SLURM cluster of two nodes, through everything that goes wrong.

`.ci/slurm-here start` brings the cluster up.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bioseq.store import check_store, content_digest, open_store

if TYPE_CHECKING:
    from tests.workflow.conftest import Project

ROOT = Path(__file__).parent.parent.parent
CLUSTER = ROOT / ".ci" / "slurm-here"
PROFILE = (
    *("--profile", ROOT / "pipelines/profiles/slurm-gpu"),
    *("--retries", 4),  # SLURM 22.05 miscounts GPUs over a restart: a job may fail at once
    *("--jobs", 8, "--latency-wait", 15, "--slurm-init-seconds-before-status-checks", 2),
    *("--set-resources", "embed_shard:gpu=1", "embed_shard:mem_mb=1500", "plan:mem_mb=1500"),
    *("--set-threads", "embed_shard=1"),
)
TARGET = "results/embeddings/small.h5"
PATIENCE = 600


def has_cluster() -> bool:
    if shutil.which("sinfo") is None:
        return False
    found = subprocess.run(["sinfo", "-h", "-N", "-o", "%N"], capture_output=True, text=True)
    return found.stdout.split() == ["node1", "node2"]


pytestmark = [
    pytest.mark.slurm,
    pytest.mark.slow,
    pytest.mark.timeout(1500),
    pytest.mark.skipif(not has_cluster(), reason="no cluster of node1 and node2"),
]


def shard_jobs(project: Project, state: str = "R") -> list[tuple[str, str]]:
    """Lists the shard jobs of a project in a state: id and node."""
    command = ["squeue", "-h", "-t", state, "-o", "%i %Z %N %k"]
    answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    jobs = [line.split(" ", 3) for line in answer.splitlines()]
    return [
        (job, node)
        for job, folder, node, comment in jobs
        if folder == str(project.folder) and "embed_shard" in comment
    ]


def wait_for(what: Callable[[], object], process: subprocess.Popen[str]) -> object:
    """Waits until something is true, while a process runs; gives what was found."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if found := what():
            return found
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.5)
    raise AssertionError(what)


def digest_of(path: Path) -> str:
    assert check_store(path) == []
    with open_store(path) as store:
        return content_digest(store)


def test_cancelled_jobs_lost_nodes_and_kills_leave_the_content_of_a_single_run(
    project: Project, single_run: Callable[[], Path]
) -> None:
    project.configure(shards=12)
    project.slow_down(1.5)
    shards = project.folder / "results/shards/small"

    def finished(count: int) -> Callable[[], bool]:
        return lambda: len(list(shards.glob("*.h5"))) >= count

    def work_has_begun() -> bool:
        nodes = {node for _, node in shard_jobs(project)}
        return nodes == {"node1", "node2"} and any(shards.glob("*.parts/part-*"))

    first = project.snakemake(TARGET, *PROFILE, start_new_session=True)
    wait_for(work_has_begun, first)
    subprocess.run(["scancel", shard_jobs(project)[0][0]], check=True)
    wait_for(
        lambda: not shard_jobs(project, "CG"), first
    )  # SLURM loses count of their GPUs otherwise
    subprocess.run([CLUSTER, "restart"], check=True)
    wait_for(finished(2), first)
    wait_for(lambda: "node2" in dict(shard_jobs(project)).values(), first)
    subprocess.run([CLUSTER, "kill-node", "node2"], check=True)
    wait_for(finished(5), first)
    subprocess.run([CLUSTER, "start-node", "node2"], check=True)
    wait_for(lambda: shard_jobs(project), first)
    os.killpg(first.pid, signal.SIGKILL)
    first.communicate()
    orphans = len(shard_jobs(project))

    assert project.run(*PROFILE, "--unlock")[0] == 0
    status, output = project.run(TARGET, *PROFILE)
    assert status == 0, output

    assert orphans > 0
    assert digest_of(project.folder / TARGET) == digest_of(single_run())
    starts = [line.split() for line in (project.folder / "starts.txt").read_text().splitlines()]
    assert len(starts) > 12
    assert {node for node, _ in starts} == {"node1", "node2"}
    assert {gpu for _, gpu in starts} == {"0", "1"}


def test_a_job_out_of_time_is_repeated_with_more_and_goes_on_inside_its_shard(
    project: Project,
) -> None:
    project.configure(shards=1)
    project.slow_down(5)  # eighteen blocks
    status, output = project.run(TARGET, *PROFILE, "--set-resources", "embed_shard:runtime=attempt")
    assert status == 0, output
    assert "Trying to restart" in output
    log = (project.folder / "logs/embed_shard/small/00001.log").read_text()
    assert re.search(r"going on behind \d+ records that are done", log)


def test_a_job_out_of_memory_is_repeated_with_more(project: Project) -> None:
    project.configure(shards=1)
    limits = ("--set-resources", "embed_shard:mem_mb=attempt*attempt*attempt*120")
    status, output = project.run(TARGET, *PROFILE, *limits)
    assert status == 0, output
    assert "Trying to restart" in output
