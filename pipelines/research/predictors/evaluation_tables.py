"""Makes the tables that the bundled predictors are judged on, from the public data sets.

    python pipelines/research/predictors/evaluation_tables.py ../shared/data tables

Needs the training tables of tables.py in the same folder, for the parts that are split there.
Writes one Parquet file per task with the columns test, sequence and the labels.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import polars as pl
from tables import read


def secondary_structure(data: Path, tables: Path) -> pl.DataFrame:
    """CB513, CASP12 (both with eight states) and NEW364 (three)."""
    both = read(data / "secstruct/tests_ss3_ss8.tsv.gz").with_columns(
        pl.struct("resolved_mask", "cb513_mask")
        .map_elements(_joint_mask, return_dtype=pl.String)
        .alias("mask")
    )
    new = read(data / "secstruct/netsurfp2_train_valid_new364.tsv.gz").filter(
        pl.col("set") == "test"
    )
    return pl.concat(
        [
            both.select(
                pl.col("set").alias("test"),
                pl.col("sequence").str.to_uppercase(),
                "ss3",
                pl.col("ss8").str.replace_many(["-", "L", "_"], ["C", "C", "C"]),
                "mask",
            ),
            new.select(
                pl.lit("NEW364").alias("test"),
                pl.col("sequence").str.to_uppercase(),
                "ss3",
                pl.lit("").alias("ss8"),
                pl.col("resolved_mask").alias("mask"),
            ),
        ]
    )


def _joint_mask(masks: dict[str, str | None]) -> str:
    """Residues that are resolved and, in CB513, meant to be counted."""
    resolved = masks["resolved_mask"] or ""
    counted = masks["cb513_mask"] or resolved
    return "".join("1" if a == b == "1" else "0" for a, b in zip(resolved, counted, strict=True))


def topology(data: Path, tables: Path) -> pl.DataFrame:
    """Membrane proteins of the held-out fold, and 200 globular ones that are tested on only."""
    kept = pl.read_parquet(tables / "topology.parquet").filter(pl.col("split") == "test")
    globular = (
        read(data / "tm_topology/tmbed_5fold.tsv.gz")
        .filter((pl.col("type") == "globular") & (pl.col("fold") == "4"))
        .head(200)
        .select(
            pl.lit("globular").alias("test"),
            pl.col("sequence").str.to_uppercase(),
            pl.lit("N")
            .repeat_by(pl.col("sequence").str.len_chars())
            .list.join("")
            .alias("topology"),
        )
    )
    membrane = kept.select(pl.lit("membrane").alias("test"), "sequence", "topology")
    return pl.concat([membrane, globular])


def held_out(task: str) -> Callable[[Path, Path], pl.DataFrame]:
    """Returns what makes the test part of a training table a test table."""

    def make(data: Path, tables: Path) -> pl.DataFrame:
        table = pl.read_parquet(tables / f"{task}.parquet")
        return table.filter(pl.col("split") == "test").with_columns(pl.lit("test").alias("test"))

    return make


TABLES: dict[str, Callable[[Path, Path], pl.DataFrame]] = {
    "secondary-structure": secondary_structure,
    "topology": topology,
    **{
        t: held_out(t)
        for t in ("disorder", "signal-peptide", "solubility", "localization", "promoter", "splice")
    },
}


def main() -> None:
    """Writes the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("tables", type=Path)
    arguments = parser.parse_args()
    for task, make in TABLES.items():
        table = make(arguments.data, arguments.tables)
        table.write_parquet(arguments.tables / f"test-{task}.parquet")
        counts = table.group_by("test").len().sort("test").rows()
        print(f"{task}: {', '.join(f'{count:,} {name}' for name, count in counts)}")


if __name__ == "__main__":
    main()
