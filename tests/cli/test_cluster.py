"""A SLURM workflow that would fail or hang is refused before it starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from bioseq.errors import ClusterError
from bioseq_cli.cluster import check_cluster, find_profile
from bioseq_cli.run import workflow_folder

BUNDLED = workflow_folder() / "pipelines" / "profiles"


@pytest.fixture
def slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of pretended SLURM commands, the only ones on the path."""
    (tmp_path / "sbatch").write_text("#!/bin/sh\n")
    answer(tmp_path, "MinJobAge               = 300 sec")
    for name in ("sbatch", "scontrol"):
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def answer(folder: Path, text: str, status: int = 0) -> None:
    (folder / "scontrol").write_text(
        f"#!/bin/sh\necho '{text}'\necho '{text}' >&2\nexit {status}\n"
    )


def test_the_profiles_of_bioseq_and_other_folders_are_found(tmp_path: Path) -> None:
    assert find_profile("slurm-gpu", BUNDLED) == BUNDLED / "slurm-gpu"
    (tmp_path / "config.yaml").write_text("cores: 1\n")
    assert find_profile(str(tmp_path), BUNDLED) == tmp_path
    with pytest.raises(ClusterError, match="those of bioseq: local, slurm, slurm-gpu"):
        find_profile("slrum", BUNDLED)


@pytest.mark.parametrize("name", ["slurm", "slurm-gpu"])
def test_a_cluster_that_remembers_ended_jobs_is_accepted(name: str, slurm: Path) -> None:
    check_cluster(BUNDLED / name)


def test_a_cluster_that_forgets_ended_jobs_too_soon_is_refused(slurm: Path) -> None:
    answer(slurm, "MinJobAge               = 60 sec")
    with pytest.raises(ClusterError, match="forgets ended jobs after 60 s, but 3 x 40 s"):
        check_cluster(BUNDLED / "slurm")


def test_a_controller_that_does_not_answer_is_named(slurm: Path) -> None:
    answer(slurm, "Unable to contact slurm controller", status=1)
    with pytest.raises(ClusterError, match="does not answer: Unable to contact"):
        check_cluster(BUNDLED / "slurm")


def test_without_slurm_the_slurm_profiles_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ClusterError, match="sbatch is not at hand"):
        check_cluster(BUNDLED / "slurm")
    check_cluster(BUNDLED / "local")
