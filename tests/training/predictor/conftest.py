"""The settings file of a toy predictor."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

TARGETS = {
    "after": {"level": "residue", "kind": "classes", "classes": ["H", "E", "C"]},
    "charge": {"level": "residue", "kind": "value", "classes": ["charge"]},
}


@pytest.fixture
def write_toy(tmp_path: Path) -> Callable[..., Path]:
    """Writes `toy.toml` for the label table `labels.csv` beside it."""

    def write_toy(
        *known: str,
        targets: Mapping[str, Mapping[str, Any]] | None = None,
        encoder: str = 'model = "one-hot-protein"\nlayers = [0]',
        head: Mapping[str, Any],
        data: Mapping[str, Any] | None = None,
        optimizer: Mapping[str, Any] | None = None,
        run: Mapping[str, Any] | None = None,
    ) -> Path:
        """Takes names of known targets and further targets; a target's column has its name."""
        chosen = {**{name: TARGETS[name] for name in known}, **(targets or {})}
        fitting = {"epochs": 12, "residues_per_batch": 200, "learning_rate": 0.01, "patience": 12}
        split = {"split": "random", "held_out": 0.4}
        parts = [
            _table("[predictor]", {"task": "toy"}),
            _table("[data]", {"table": "labels.csv", **split, **(data or {})}),
            f"[encoder]\n{encoder}\n",
            _table("[head]", {"dropout": 0.0, **head}),
            *(_table("[[targets]]", {"name": n, "column": n, **t}) for n, t in chosen.items()),
            _table("[run]", run) if run else "",
            _table("[optimizer]", {**fitting, **(optimizer or {})}),
        ]
        path = tmp_path / "toy.toml"
        path.write_text("\n".join(parts))
        return path

    return write_toy


def _table(head: str, fields: Mapping[str, Any]) -> str:
    """Words a table; what stands in these is written in TOML as it is in JSON."""
    return (
        "\n".join([head, *(f"{name} = {json.dumps(value)}" for name, value in fields.items())])
        + "\n"
    )
