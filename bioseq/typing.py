"""The words that signatures share."""

from __future__ import annotations

from os import PathLike
from typing import Literal

AnyPath = str | PathLike[str]

Molecule = Literal["protein", "dna", "rna"]
Precision = Literal["float32", "bfloat16", "float16"]
Level = Literal["residue", "sequence", "pair"]
Subsampling = Literal["first", "random", "diverse"]
StoredFormat = Literal["float32", "float16"]
