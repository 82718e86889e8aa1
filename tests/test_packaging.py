from __future__ import annotations

import re
import resource
import statistics
import subprocess
import sys
import sysconfig
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


def test_torch_uses_one_thread_in_tests() -> None:
    import torch

    assert torch.get_num_threads() == 1


def test_the_changelog_has_an_entry_for_this_version() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text()
    assert re.search(rf"^## {re.escape(bioseq.__version__)}\b", changelog, re.MULTILINE)
