"""Makes the label tables of the comparison from the public data sets.

    python pipelines/research/compare/tables.py ../shared/data results/compare/tables

One Parquet file for each task, with the columns sequence, split and label. Sources, licences and
splits are those of pipelines/research/predictors/tables.py; docs/comparison.md says why these
tasks.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path

import polars as pl

SHORTEST = 40
LONGEST = {"train": 512, "valid": 512, "test": 1_000}
"""Residues; longer sequences are left out, since attention to them would use up the budget."""


def read(path: Path) -> pl.DataFrame:
    """Reads a table of the data folder; every column is text, since masks are digits."""
    return pl.read_csv(path, separator="\t", infer_schema=False)


def secondary_structure(data: Path) -> pl.DataFrame:
    """Three states of NetSurfP-2.0 (Klausen et al. 2019), observed residues alone."""
    table = read(data / "secstruct/netsurfp2_train_valid_new364.tsv.gz")
    states = pl.struct("ss3", "resolved_mask").map_elements(
        lambda row: "".join(
            s if seen == "1" else "-"
            for s, seen in zip(row["ss3"], row["resolved_mask"], strict=True)
        ),
        return_dtype=pl.String,
    )
    return take(table, "sequence", "set", states, train=2_000, valid=100, test=400)


def membrane_side(data: Path) -> pl.DataFrame:
    """Inside, outside or helix for residues of alpha-helical membrane proteins (TMbed's folds)."""
    table = read(data / "tm_topology/tmbed_5fold.tsv.gz").filter(pl.col("type") == "alpha")
    parts = {"0": "train", "1": "train", "2": "train", "3": "valid", "4": "test"}
    sides = pl.col("labels").str.replace_many(["1", "2", "h", "S", "U"], ["I", "O", "H", "-", "-"])
    table = table.with_columns(pl.col("fold").replace_strict(parts).alias("set"))
    return take(table, "sequence", "set", sides, train=400, valid=100, test=400)


def localization(data: Path) -> pl.DataFrame:
    """One of ten compartments of eukaryotic proteins (DeepLoc 1.0, as split by Light attention)."""
    table = read(data / "localization/deeploc1_lightattention.tsv.gz").filter(
        pl.col("set").is_in(["train", "valid", "test"]) & (pl.col("label") != "Cytoplasm-Nucleus")
    )
    compartment = pl.col("label").str.replace_all(".", "-", literal=True)
    return take(table, "sequence", "set", compartment, train=2_000, valid=150, test=600)


def take(
    table: pl.DataFrame, sequence: str, part: str, label: pl.Expr, **counts: int
) -> pl.DataFrame:
    """Draws so many sequences of each part, always the same ones."""
    table = table.select(
        pl.col(sequence).str.to_uppercase().alias("sequence"),
        pl.col(part).alias("split"),
        label.alias("label"),
    ).unique("sequence", keep="first", maintain_order=True)
    length = pl.col("sequence").str.len_chars()
    drawn = []
    for name, count in counts.items():
        found = table.filter((pl.col("split") == name) & length.is_between(SHORTEST, LONGEST[name]))
        drawn.append(found.sample(min(count, len(found)), seed=0, shuffle=True))
    return pl.concat(drawn)


TABLES: Mapping[str, Callable[[Path], pl.DataFrame]] = {
    "secondary-structure": secondary_structure,
    "membrane-side": membrane_side,
    "localization": localization,
}


def main() -> None:
    """Writes the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("output", type=Path)
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    for task, make in TABLES.items():
        table = make(arguments.data)
        table.write_parquet(arguments.output / f"{task}.parquet")
        counts = dict(table["split"].value_counts().iter_rows())
        print(f"{task}: {counts}")


if __name__ == "__main__":
    main()
