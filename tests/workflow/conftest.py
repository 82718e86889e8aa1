"""A small project in a folder of its own, and Snakemake on it."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parent.parent.parent

# The command as it is, but with small blocks that take their time, so that a job can be killed in
# the middle; each start is noted with the node and the GPU it was given.
SLOW_COMMAND = """#!{python}
import os, sys, time
import bioseq.embedding.job
from bioseq.store import UnfinishedWork
from bioseq_cli.main import main

bioseq.embedding.job.BLOCK_RECORDS = 4
write = UnfinishedWork.write

def write_slowly(work, block):
    time.sleep({seconds})
    write(work, block)

UnfinishedWork.write = write_slowly
if sys.argv[1] == "embed":
    names = ("SLURMD_NODENAME", "CUDA_VISIBLE_DEVICES")
    with open("{folder}/starts.txt", "a") as file:
        print(*(os.environ.get(name) for name in names), file=file)
main()
"""


@dataclass(frozen=True)
class Project:
    """A folder with input, model, sample sheet and configuration.

    Attributes:
        folder: The folder.
        model: The model's folder.
        fasta: The input.
    """

    folder: Path
    model: Path
    fasta: Path

    def configure(self, **changes: object) -> None:
        """Writes the configuration with some changes."""
        embedding = {"model": str(self.model), "per_residue": True}
        config = {"samples": "samples.tsv", "shards": 3, "rate": 1e9, "tokens_per_batch": 1}
        text = yaml.safe_dump({**config, "embedding": embedding, **changes})
        (self.folder / "config.yaml").write_text(text)

    def write_sheet(self, *rows: str) -> None:
        """Writes the sample sheet; columns are separated by blanks."""
        lines = ("\t".join(row.split(" ")) + "\n" for row in rows)
        (self.folder / "samples.tsv").write_text("".join(lines))

    def slow_down(self, seconds: float) -> None:
        """Makes every block of a shard take so long."""
        command = self.folder / "bin" / "bioseq"
        command.parent.mkdir()
        command.write_text(
            SLOW_COMMAND.format(python=sys.executable, seconds=seconds, folder=self.folder)
        )
        command.chmod(0o755)

    @property
    def environment(self) -> Mapping[str, str]:
        """The environment of the jobs: the command lies beside this Python, or in `bin`."""
        places = [str(self.folder / "bin"), str(Path(sys.executable).parent)]
        path = os.pathsep.join([*places, os.environ["PATH"]])
        return os.environ | {"PATH": path, "OMP_NUM_THREADS": "1"}

    def snakemake(self, *arguments: object, **options: Any) -> subprocess.Popen[str]:
        """Starts Snakemake."""
        command = [sys.executable, "-m", "snakemake", "--snakefile", ROOT / "Snakefile"]
        return subprocess.Popen(
            [*map(str, command), *map(str, arguments), "--configfile", "config.yaml"],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            **options,
        )

    def run(self, *arguments: object) -> tuple[int, str]:
        """Runs Snakemake to its end; gives status and output."""
        process = self.snakemake(*arguments)
        output, _ = process.communicate()
        return process.returncode, output


@pytest.fixture
def project(tmp_path: Path, tiny_transformer: Path) -> Project:
    """Seventy-two records, of which one repeats and two can't be computed."""
    chance = random.Random(1)
    lengths = [chance.choice([0, 20, 50, 90]) if i % 30 else 40 for i in range(72)]
    sequences = ["".join(chance.choices("ACDEFGHIKLMNPQRSTVWY", k=length)) for length in lengths]
    sequences[9] = "MK!V"
    sequences[50] = sequences[20]
    fasta = tmp_path / "input.fasta"
    fasta.write_text("".join(f">r{i} number {i}\n{s}\n" for i, s in enumerate(sequences)))
    made = Project(folder=tmp_path, model=tiny_transformer, fasta=fasta)
    made.configure()
    made.write_sheet("sample path", "small input.fasta")
    return made


@pytest.fixture
def single_run(project: Project, tmp_path: Path) -> Callable[[], Path]:
    """Embeds the project's input in one process, one sequence at a time."""
    from bioseq.embedding import EmbedOptions, embed_files

    def run() -> Path:
        options = EmbedOptions(model=project.model, per_residue=True, tokens_per_batch=1)
        embed_files(project.fasta, tmp_path / "whole.h5", options).close()
        return tmp_path / "whole.h5"

    return run
