"""Records to ask about, and what a store says of those that have a result."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from bioseq.store import Store

LONG = "MKTAYIAKQRQISFVKSHFSRQLEERLGLIEVQAPILSRVGDGTQDNLSGAEKAVQVKVKALPDAQFEVV" * 2
RECORDS = [
    ("a some protein", "MKTAYIAKQRQISFVKSH"),
    ("one", "M"),
    ("empty", ""),
    ("long", LONG),
    ("wrong", "MK1"),
    ("a", "mktayiakqrqisfvksh"),
    ("mixed", "ACDEFGHIKLMNPQRSTVWYXB"),
]
GOOD = [0, 1, 3, 5, 6]
Kind = Callable[[str], Path]


def write(path: Path, records: list[tuple[str, str]]) -> Path:
    path.write_text("".join(f">{name}\n{sequence}\n" for name, sequence in records))
    return path


def values(store: Store, name: str) -> list[np.ndarray]:
    return [np.asarray(store.predictions[name][record]) for record in GOOD]
