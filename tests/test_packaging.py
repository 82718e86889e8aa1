from __future__ import annotations

import re
import resource
import statistics
import subprocess
import sys
import sysconfig
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest

import bioseq

ROOT = Path(__file__).parent.parent
COMMAND = Path(sysconfig.get_path("scripts")) / "bioseq"


def cpu_seconds_of_help() -> float:
    """CPU time, not wall time: a busy machine must not fail the test."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([COMMAND, "--help"], check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def test_help_takes_less_than_six_tenths_of_a_second() -> None:
    assert statistics.median(cpu_seconds_of_help() for _ in range(5)) < 0.6


@pytest.mark.parametrize("module", ["bioseq", "bioseq_cli.main"])
def test_importing_the_top_level_does_not_import_torch(module: str) -> None:
    code = f"import sys, {module}; print('torch' in sys.modules)"
    answer = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    )
    assert answer.stdout.strip() == "False"


def test_the_installed_version_is_that_of_the_source() -> None:
    assert version("bioseq") == bioseq.__version__


@pytest.mark.parametrize("package", ["bioseq", "cli/bioseq_cli"])
def test_every_folder_of_modules_is_a_package(package: str) -> None:
    """The check of the import layers does not see a folder without `__init__.py`."""
    folders = {module.parent for module in (ROOT / package).rglob("*.py")}
    assert [folder for folder in folders if not (folder / "__init__.py").is_file()] == []


WORKFLOWS = "bioseq_cli/workflows"


def in_wheel() -> dict[str, str]:
    """What the wheel takes from outside the packages: source and place."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    return settings["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]


def test_the_wheel_holds_the_workflows_where_the_rules_look_and_no_research() -> None:
    folders = {path.name for path in (ROOT / "pipelines").iterdir() if any(path.rglob("*.*"))}
    kept = ["Snakefile", *(f"pipelines/{name}" for name in folders - {"research"})]
    assert in_wheel() == {source: f"{WORKFLOWS}/{source}" for source in kept}


def test_the_rules_name_only_files_that_are_in_the_wheel() -> None:
    rules = ROOT / "pipelines" / "rules"
    named = {
        rules / name
        for path in rules.glob("*.smk")
        for name in re.findall(r'"(\.\./[^"]+)"', path.read_text())
    }
    paths = {path.resolve().relative_to(ROOT).as_posix() for path in named}
    assert "pipelines/evaluation/probe.py" in paths
    assert [path for path in paths if not (ROOT / path).is_file()] == []
    assert [path for path in paths if path.rpartition("/")[0] not in in_wheel()] == []


def test_torch_uses_one_thread_in_tests() -> None:
    import torch

    assert torch.get_num_threads() == 1


def test_the_changelog_has_an_entry_for_this_version() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text()
    assert re.search(rf"^## {re.escape(bioseq.__version__)}\b", changelog, re.MULTILINE)


def test_a_research_workflow_says_that_the_wheel_lacks_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from click.testing import CliRunner

    import bioseq_cli.run

    monkeypatch.setattr(bioseq_cli.run, "workflow_folder", lambda: tmp_path)
    answer = CliRunner().invoke(bioseq_cli.run.run, ["compare"])
    assert answer.exit_code == 2
    assert "run it from the sources" in answer.output
