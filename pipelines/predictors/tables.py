"""Makes the label tables that the bundled predictors are trained on, from the public data sets.

    python pipelines/predictors/tables.py ../shared/data tables

Writes one Parquet file per task with the columns sequence, split and the labels; the sources, their
licences and what is left out stand beside each function and in docs/predictors.md.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import polars as pl

_COLUMNS_8 = "GHIBESTC"


def read(path: Path) -> pl.DataFrame:
    """Reads a table of the data folder; every column is text, since masks are digits."""
    return pl.read_csv(path, separator="\t", infer_schema=False)


def secondary_structure(data: Path) -> pl.DataFrame:
    """Three states of NetSurfP-2.0 (Klausen et al. 2019) and eight states of PDB chains (DSSP).

    PDB chains similar to a test set of secondary structure are left out, as marked in the source.
    """
    netsurfp = read(data / "secstruct/netsurfp2_train_valid_new364.tsv.gz").select(
        pl.col("sequence").str.to_uppercase(),
        pl.col("set").alias("split"),
        "ss3",
        pl.lit("").alias("ss8"),
        pl.col("resolved_mask").alias("mask"),
    )
    chains = (
        read(data / "structures/pdb_chains.tsv.gz")
        .filter(pl.col("homolog_of_ss_testsets") == "0")
        .select(
            pl.col("sequence").str.to_uppercase(),
            pl.col("set_by_30pct_cluster").replace("test", "train").alias("split"),
            "ss3",
            "ss8",
            pl.lit("1").repeat_by(pl.col("sequence").str.len_chars()).list.join("").alias("mask"),
        )
    )
    return pl.concat([netsurfp, chains])


def disorder(data: Path) -> pl.DataFrame:
    """CheZOD scores (Nielsen & Mulder 2019, 2020; split of SETH), below 8 called disordered."""
    table = read(data / "disorder/chezod.tsv.gz")
    scores = pl.col("chezod_scores_999_missing").str.split(",").cast(pl.List(pl.Float64))
    score = pl.element()
    return table.with_columns(scores.alias("scores")).select(
        pl.col("sequence").str.to_uppercase(),
        pl.col("set").replace("val", "valid").alias("split"),
        pl.col("scores")
        .list.eval(pl.when(score > 900).then(pl.lit("")).otherwise(score.cast(pl.String)))
        .list.join(",")
        .alias("chezod"),
        pl.col("scores")
        .list.eval(
            pl.when(score > 900)
            .then(pl.lit("-"))
            .when(score < 8)
            .then(pl.lit("D"))
            .otherwise(pl.lit("O"))
        )
        .list.join("")
        .alias("disorder"),
    )


TABLES: dict[str, Callable[[Path], pl.DataFrame]] = {
    "secondary-structure": secondary_structure,
    "disorder": disorder,
}


def main() -> None:
    """Writes the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("tasks", nargs="*", default=list(TABLES))
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    for task in arguments.tasks:
        table = TABLES[task](arguments.data)
        table.write_parquet(arguments.output / f"{task}.parquet")
        counts = table.group_by("split").len().sort("split").rows()
        print(f"{task}: {', '.join(f'{count:,} {part}' for part, count in counts)}")


if __name__ == "__main__":
    main()
