"""Profiles, and whether the cluster that one asks for would notice the end of a job."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

from bioseq.errors import ClusterError

_CONFIG = "config.yaml"


def find_profile(name: str, bundled: Path) -> Path:
    """Returns the folder of a profile: one that comes with bioseq, or any other.

    Raises:
        ClusterError: There is none.
    """
    for folder in (bundled / name, Path(name)):
        if (folder / _CONFIG).is_file():
            return folder
    names = ", ".join(sorted(path.name for path in bundled.iterdir()))
    problem = f"there is none of that name, nor a folder with {_CONFIG}; those of bioseq: {names}"
    raise ClusterError(name, problem)


def check_cluster(profile: Path) -> None:
    """Finds what would make a SLURM workflow fail or hang, before it starts.

    Raises:
        ClusterError: SLURM is not at hand, or forgets ended jobs too soon.
    """
    import yaml  # comes with Snakemake

    settings: dict[str, Any] = yaml.safe_load((profile / _CONFIG).read_text())
    if settings.get("executor") != "slurm":
        return
    if shutil.which("sbatch") is None:
        raise ClusterError(profile.name, "sbatch is not at hand; run this on a login node")
    found = subprocess.run(["scontrol", "show", "config"], capture_output=True, text=True)
    if found.returncode:
        raise ClusterError(profile.name, f"the controller does not answer: {found.stderr.strip()}")
    _check_memory(profile, settings, found.stdout)


def _check_memory(profile: Path, settings: dict[str, Any], answer: str) -> None:
    """Ended jobs have to stay visible to squeue for three times the first pause.

    Below that the executor asks sacct instead, and without an accounting database waits for ever.
    """
    age = re.search(r"^MinJobAge\s*=\s*(\d+)", answer, re.MULTILINE)
    pause = int(settings.get("slurm-init-seconds-before-status-checks", 40))
    if settings.get("slurm-status-command") == "squeue" and age and int(age[1]) < 3 * pause:
        problem = (
            f"SLURM forgets ended jobs after {age[1]} s, but 3 x {pause} s are needed; lower "
            "slurm-init-seconds-before-status-checks or, with accounting, use sacct"
        )
        raise ClusterError(profile.name, problem)
