"""Alignments of families with a known structure, and the distances in it."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float64

from bioseq.io import read_alignment
from bioseq.msa import Msa

CONTACT = 8.0
_MISSING = -32768
_PER_ANGSTROM = 100
# C-beta of ideal tetrahedral geometry, in the vectors N to CA, CA to C and their product.
_CROSS, _FROM_N, _TO_C = -0.58273431, 0.56802827, -0.54067466


@dataclass(frozen=True)
class Family:
    """One chain of known structure and the alignment of its family.

    Attributes:
        id: Of the chain.
        part: `train`, `valid` or `test`.
        depth: Rows of its alignment.
        alignment: The A3M file.
        backbone: Coordinates of N, CA, C and CB in hundredths of an angstrom.
    """

    id: str
    part: str
    depth: int
    alignment: Path
    backbone: np.ndarray

    def read(self) -> Msa:
        """Reads the alignment."""
        return Msa.from_alignment(read_alignment(self.alignment))

    @cached_property
    def distances(self) -> Float64[np.ndarray, "length length"]:
        """C-beta distances in angstrom; NaN where unknown."""
        beta = _beta(self.backbone)
        return np.linalg.norm(beta[:, None] - beta, axis=-1)

    @property
    def known(self) -> Bool[np.ndarray, "length length"]:
        """Whether a distance is known."""
        return ~np.isnan(self.distances)

    @property
    def contacts(self) -> Bool[np.ndarray, "length length"]:
        """Whether a pair is closer than 8 angstrom."""
        return self.distances < CONTACT


def read_families(alignments: Path, structures: Path) -> list[Family]:
    """Lists the families, by id.

    Args:
        alignments: Folder with `index.tsv` (columns id, set, depth) and `a3m/ID.a3m`.
        structures: File with `ids`, `offsets` and `xyz_centi_angstrom`.
    """
    with np.load(structures) as file:
        ids, offsets, xyz = (file[name] for name in ("ids", "offsets", "xyz_centi_angstrom"))
    place = {id_: number for number, id_ in enumerate(ids.tolist())}
    with (alignments / "index.tsv").open() as lines:
        rows = sorted(csv.DictReader(lines, delimiter="\t"), key=lambda row: row["id"])
    return [
        Family(
            id=row["id"],
            part=row["set"],
            depth=int(row["depth"]),
            alignment=alignments / "a3m" / f"{row['id']}.a3m",
            backbone=xyz[offsets[place[row["id"]]] : offsets[place[row["id"]] + 1]],
        )
        for row in rows
    ]


def _beta(backbone: np.ndarray) -> Float64[np.ndarray, "length 3"]:
    """Returns C-beta, or where the file has none (glycine) its ideal place."""
    missing = (backbone == _MISSING).any(axis=-1, keepdims=True)
    atoms = np.where(missing, np.nan, backbone / _PER_ANGSTROM)
    n, ca, c, beta = np.moveaxis(atoms, 1, 0)
    first, second = ca - n, c - ca
    ideal = ca + _CROSS * np.cross(first, second) + _FROM_N * first + _TO_C * second
    return np.where(missing[:, 3], ideal, beta)
