"""Inputs of runs, and an ear for their progress."""

from __future__ import annotations

import numpy as np

EVERYTHING = {"pool": ("mean", "max"), "per_residue": True, "layers": (0, -1)}


def fasta(records):
    return "".join(f">{i} {d}\n{s}\n" if d else f">{i}\n{s}\n" for i, d, s in records)


def write(path, records):
    path.write_text(fasta(records), encoding="utf-8")
    return path


def random_records(count, seed=0, length=30):
    rng = np.random.default_rng(seed)
    letters = list("ACDEFGHIKLMNPQRSTVWY")
    sizes = rng.integers(8, length, count)
    return [(f"r{i}", f"number {i}", "".join(rng.choice(letters, n))) for i, n in enumerate(sizes)]


class Told:
    """Remembers what it is told of a run."""

    def __init__(self):
        self.residues, self.fractions = [], []

    def begin(self, *, models, device, done_records, is_finished):
        self.done_records, self.is_finished = done_records, is_finished

    def advance(self, *, residues, fraction):
        self.residues.append(residues)
        self.fractions.append(fraction)
