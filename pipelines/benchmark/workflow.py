"""Measures what the embedding workflow costs beside bare `bioseq embed`, and what a node gains.

The same input is embedded, round by round: by one process, and by the workflow on this machine, one
shard after the other. With `--slurm` also on one and on both nodes of the cluster that
`.ci/slurm-here start` makes; a shard takes all GPUs of a node, so that a node computes one at a
time. Everything runs on one thread. Medians count, and for the overhead the CPU time of all
processes, which other work on the machine changes little. With `--pretend SECONDS` a shard waits
so long, as for a GPU that is not there, and takes one GPU: for machines with few cores.

    python pipelines/benchmark/workflow.py data/ecoli_k12.fasta.gz --records 900 --slurm
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import yaml

from bioseq.io import open_records

ROOT = Path(__file__).parent.parent.parent
TARGET = "results/embeddings/input.h5"
GPUS_PER_NODE = 2
PRETENDER = """#!{python}
import sys, time
if "--shard" in sys.argv:
    time.sleep({seconds})
from bioseq_cli.main import main
main()
"""


@dataclass(frozen=True)
class Timing:
    """Seconds of one run: on the clock, and of all its processes together."""

    wall: float
    cpu: float


def prepare(folder: Path, fasta: Path, *, records: int, shards: int, model: str) -> None:
    """Writes input, sample sheet and configuration."""
    with open_records(fasta) as reader:
        entries = [f">{record.id}\n{record.sequence}\n" for record in islice(reader, records)]
    (folder / "input.fasta").write_text("".join(entries))
    (folder / "samples.tsv").write_text("sample\tpath\ninput\tinput.fasta\n")
    config = {"samples": "samples.tsv", "shards": shards, "rate": 1e10}
    text = yaml.safe_dump({**config, "embedding": {"model": model}})
    (folder / "config.yaml").write_text(text)


def pretend(folder: Path, seconds: float) -> None:
    """Puts a command before `bioseq` that lets every shard wait."""
    command = folder / "bin" / "bioseq"
    command.parent.mkdir()
    command.write_text(PRETENDER.format(python=sys.executable, seconds=seconds))
    command.chmod(0o755)


def measure(folder: Path, command: Sequence[str]) -> Timing:
    """Runs a command in a folder without results, on one thread."""
    subprocess.run(["rm", "-rf", "results", "bare.h5"], cwd=folder, check=True)
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    places = [str(folder / "bin"), os.environ["PATH"], str(Path(sys.executable).parent)]
    path = os.pathsep.join(places)
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PATH": path}
    subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
    wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Timing(wall, cpu)


def workflow(*arguments: str) -> list[str]:
    """Returns the command that runs the workflow up to the merged store."""
    command = [sys.executable, "-m", "snakemake", TARGET, "--snakefile", str(ROOT / "Snakefile")]
    threads = ("--set-threads", "embed_shard=1")
    return [*command, *arguments, *threads, "--configfile", "config.yaml"]


def on_cluster(*nodes: str, gpus: int) -> list[str]:
    """Returns the command that runs the workflow on some nodes."""
    others = sorted({"node1", "node2"} - set(nodes))
    excluded = (
        ("--default-resources", f"slurm_extra='--exclude={','.join(others)}'") if others else ()
    )
    return workflow(
        *("--profile", str(ROOT / "pipelines/profiles/slurm-gpu"), "--latency-wait", "15"),
        *("--slurm-init-seconds-before-status-checks", "2", *excluded),
        *("--set-resources", f"embed_shard:gpu={gpus}"),
    )


def list_runs(model: str, *, slurm: bool, gpus: int) -> dict[str, list[str]]:
    """Returns the commands that are compared, by name."""
    bare = ["bioseq", "embed", "input.fasta", "-o", "bare.h5", "--model", model]
    runs = {"bare": bare, "workflow": workflow("--cores", "1", "--scheduler", "greedy")}
    if slurm:
        runs |= {"one node": on_cluster("node1", gpus=gpus)}
        runs |= {"two nodes": on_cluster("node1", "node2", gpus=gpus)}
    return runs


def print_results(times: dict[str, list[Timing]]) -> None:
    """Prints the medians, and the two ratios that count."""

    def median(name: str, of: Callable[[Timing], float]) -> float:
        return statistics.median(map(of, times[name]))

    print(f"{'run':<12}{'wall s':>9}{'CPU s':>9}")
    for name in times:
        print(f"{name:<12}{median(name, _wall):>9.1f}{median(name, _cpu):>9.1f}")
    if "bare" in times:
        overhead = median("workflow", _cpu) / median("bare", _cpu) - 1
        print(f"overhead of the workflow, CPU time: {overhead:.1%}")
    if "two nodes" in times:
        ratio = median("two nodes", _wall) / median("one node", _wall)
        print(f"two nodes over one node, wall time: {ratio:.2f}")


def _wall(timing: Timing) -> float:
    return timing.wall


def _cpu(timing: Timing) -> float:
    return timing.cpu


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("fasta", type=Path)
    parser.add_argument("--records", type=int, default=300)
    parser.add_argument("--shards", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--model", default="protein-lstm")
    parser.add_argument("--slurm", action="store_true")
    parser.add_argument("--pretend", type=float, default=0.0)
    arguments = parser.parse_args()
    gpus = 1 if arguments.pretend else GPUS_PER_NODE
    runs = list_runs(arguments.model, slurm=arguments.slurm, gpus=gpus)
    if arguments.pretend:  # the one process would not wait: only the nodes are compared
        del runs["bare"], runs["workflow"]
    times: dict[str, list[Timing]] = {name: [] for name in runs}
    with tempfile.TemporaryDirectory() as name:
        prepare(
            Path(name),
            arguments.fasta,
            records=arguments.records,
            shards=arguments.shards,
            model=arguments.model,
        )
        pretend(Path(name), arguments.pretend)
        for _ in range(arguments.rounds):
            for run, command in runs.items():
                times[run].append(measure(Path(name), command))
                print(f"{run}: {times[run][-1].wall:.1f} s", file=sys.stderr, flush=True)
    print_results(times)


if __name__ == "__main__":
    main()
