"""Recipes of CONTRIBUTING.md, carried out on a copy of the sources with just the files named."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import bioseq
from bioseq import open_store

pytestmark = pytest.mark.slow

_ROOT = Path(bioseq.__file__).parent.parent
_EXAMPLE = _ROOT / "data" / "example.fasta"


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """Returns a copy of the package and its command line."""
    for name in ("bioseq", "cli"):
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(_ROOT / name, tmp_path / name, ignore=ignore)
    return tmp_path


def run(sources: Path, *arguments: str | Path) -> str:
    """Runs the copy's command line and returns what it prints."""
    paths = os.pathsep.join(str(sources / name) for name in ("", "cli"))
    code = "import sys; from bioseq_cli.main import main; sys.exit(main())"
    done = subprocess.run(
        [sys.executable, "-P", "-c", code, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": paths},
        cwd=sources,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_pooling_takes_one_file(sources: Path) -> None:
    path = sources / "bioseq" / "embedding" / "pooling.py"
    entry = '    "half-max": Pooling(\n        batch=lambda states: states.amax(dim=1) / 2,\n'
    entry += "        running=lambda pool: pool.peak / 2,\n    ),\n"
    head, found, tail = path.read_text().partition('    "cls": Pooling(')
    assert found
    path.write_text(head + entry + found + tail)
    output = sources / "out.h5"
    run(sources, "embed", _EXAMPLE, "-o", output, "--pool", "max,half-max", "--device", "cpu")
    with open_store(output) as store:
        whole = np.asarray(store["max"].to_numpy())
        np.testing.assert_array_equal(store["half-max"].to_numpy(), whole / 2)


def test_a_bundled_predictor_takes_its_folder_alone(sources: Path) -> None:
    bundled = sources / "bioseq" / "prediction" / "tasks" / "bundled"
    shutil.copytree(bundled / "solubility", bundled / "stickiness")
    config = bundled / "stickiness" / "config.json"
    fields = json.loads(config.read_text())
    fields["task"] = "stickiness"
    fields["targets"][0]["name"] = "stickiness"
    config.write_text(json.dumps(fields))
    (bundled / "stickiness" / "README.md").write_text("# stickiness\n\nHow sticky it is.\n")
    assert "How sticky it is." in run(sources, "predict", "--help")
    run(sources, "predict", "stickiness", _EXAMPLE, "-o", sources / "sticky.h5", "--device", "cpu")
    run(sources, "predict", "solubility", _EXAMPLE, "-o", sources / "soluble.h5", "--device", "cpu")
    with open_store(sources / "sticky.h5") as ours, open_store(sources / "soluble.h5") as theirs:
        values = ours.predictions["stickiness"].to_numpy()
        np.testing.assert_array_equal(values, theirs.predictions["solubility"].to_numpy())
