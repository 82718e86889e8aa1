"""Makes the label tables that the bundled predictors are trained on, from the public data sets.

    python pipelines/research/predictors/tables.py ../shared/data tables

Writes one Parquet file per task with the columns sequence, split and the labels; the sources, their
licences and what is left out stand beside each function and in docs/predictors.md.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl

from bioseq.training.clusters import cluster_sequences
from bioseq.training.split import deal_clusters


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


def topology(data: Path) -> pl.DataFrame:
    """Membrane proteins of TMbed (Bernhofer & Rost 2022) with soluble chains of NetSurfP-2.0.

    The membrane proteins keep the published folds: 0 to 2 train, 3 valid, 4 test. The globular
    proteins of that set derive from SignalP 6 (CC BY-NC-ND), so they are only tested on.
    """
    tmbed = read(data / "tm_topology/tmbed_5fold.tsv.gz")
    part = pl.col("fold").replace_strict(
        {"0": "train", "1": "train", "2": "train", "3": "valid", "4": "test"}
    )
    states = pl.col("labels").str.replace_many(
        ["1", "2", "h", "b", "S", "U"], ["N", "N", "H", "B", "N", "-"]
    )
    membrane = tmbed.filter(pl.col("type").is_in(["alpha", "beta"])).select(
        pl.col("sequence").str.to_uppercase(), part.alias("split"), states.alias("topology")
    )
    soluble = (
        read(data / "secstruct/netsurfp2_train_valid_new364.tsv.gz")
        .filter(pl.col("set") != "test")
        .group_by("set", maintain_order=True)
        .agg(pl.col("sequence").str.to_uppercase().gather_every(8))
        .explode("sequence")
        .select(
            "sequence",
            pl.col("set").alias("split"),
            pl.lit("N")
            .repeat_by(pl.col("sequence").str.len_chars())
            .list.join("")
            .alias("topology"),
        )
    )
    return pl.concat([membrane, soluble])


def signal_peptide(data: Path) -> pl.DataFrame:
    """First 70 residues with or without a signal peptide (set of SignalP 5, from UniProt)."""
    table = read(data / "signalp/signalp5_binary_proteinbert.tsv.gz")
    return table.select(
        pl.col("sequence").str.to_uppercase(),
        hold_out("sequence", pl.col("set")).alias("split"),
        pl.col("label").replace_strict({"0": "none", "1": "SP"}).alias("signal"),
    )


def solubility(data: Path) -> pl.DataFrame:
    """Soluble share of E. coli proteins (eSOL, Niwa et al. 2009; split of GraphSol)."""
    table = read(data / "solubility/esol.tsv.gz")
    tested = table.filter(pl.col("set") == "test")["sequence"]
    return table.filter(
        (pl.col("set") == "test") | ~pl.col("sequence").is_in(tested.implode())
    ).select(
        pl.col("sequence").str.to_uppercase(),
        hold_out("sequence", pl.col("set")).alias("split"),
        "solubility",
    )


def localization(data: Path) -> pl.DataFrame:
    """One of ten compartments of eukaryotic proteins (DeepLoc 1.0, as split by Light attention).

    Proteins with two compartments are left out.
    """
    table = read(data / "localization/deeploc1_lightattention.tsv.gz").filter(
        pl.col("set").is_in(["train", "valid", "test"]) & (pl.col("label") != "Cytoplasm-Nucleus")
    )
    return table.select(
        pl.col("sequence").str.to_uppercase(),
        pl.col("set").alias("split"),
        pl.col("label").str.replace_all(".", "-", literal=True).alias("compartment"),
    )


def promoter(data: Path) -> pl.DataFrame:
    """E. coli sigma-70 promoters, 60 bases in front of the start and 20 behind (Umarov 2017)."""
    table = read(data / "dna/promoters_umarov2016.tsv.gz")
    kinds = {"Ecoli_prom": "promoter", "Ecoli_non_prom": "none"}
    return split_by_cluster(
        table.filter(pl.col("set").is_in(list(kinds))).select(
            pl.col("sequence").str.to_uppercase(),
            pl.col("set").replace_strict(kinds, default=None).alias("promoter"),
        )
    )


def splice(data: Path) -> pl.DataFrame:
    """Primate splice junctions in the middle of 60 bases (UCI), each sequence once."""
    table = read(data / "dna/splice_uci_primate.tsv.gz")
    names = {"EI": "donor", "IE": "acceptor", "N": "none"}
    return split_by_cluster(
        table.unique("sequence60", maintain_order=True).select(
            pl.col("sequence60").str.to_uppercase().alias("sequence"),
            pl.col("class").replace_strict(names).alias("junction"),
        )
    )


def contacts(data: Path) -> pl.DataFrame:
    """Contacts of PDB chains: C-beta (of glycine C-alpha) below 8 A, six or more residues apart.

    The split is that of the source, by clusters of 30 % identity. Only test chains may have more
    than 250 residues.
    """
    table = read(data / "structures/pdb_chains.tsv.gz")
    with np.load(data / "structures/pdb_chains_backbone.npz") as file:
        bounds = itertools.pairwise(file["offsets"].tolist())
        places = dict(zip(file["ids"].tolist(), bounds, strict=True))
        atoms = np.where((xyz := file["xyz_centi_angstrom"]) == -32768, np.nan, xyz / 100)
    cells = []
    for id_ in table["id"]:
        alpha, beta = atoms[slice(*places[id_]), 1], atoms[slice(*places[id_]), 3]
        points = np.where(np.isnan(beta), alpha, beta)
        distances = np.linalg.norm(points[:, None] - points, axis=-1)
        pairs = np.argwhere(np.triu(distances < 8, 6)) + 1
        cells.append(" ".join(f"{i}-{j}" for i, j in pairs.tolist()) or "-")
    return table.select(
        pl.col("sequence").str.to_uppercase(),
        pl.col("set_by_30pct_cluster").alias("split"),
        pl.Series("contacts", cells),
    ).filter((pl.col("split") == "test") | (pl.col("sequence").str.len_chars() <= 250))


def split_by_cluster(table: pl.DataFrame) -> pl.DataFrame:
    """Holds out clusters of similar sequences, 15 % each for valid and test."""
    clusters = cluster_sequences(table["sequence"].to_list(), "dna")
    return table.with_columns(pl.Series("split", deal_clusters(clusters, 0.3, 1).tolist()))


def hold_out(column: str, part: pl.Expr) -> pl.Expr:
    """Turns a tenth of a training part into a valid part, chosen by alphabetical order."""
    chosen = pl.col(column).rank("ordinal") % 10 == 0
    return pl.when((part == "train") & chosen).then(pl.lit("valid")).otherwise(part)


TABLES: dict[str, Callable[[Path], pl.DataFrame]] = {
    "secondary-structure": secondary_structure,
    "disorder": disorder,
    "topology": topology,
    "signal-peptide": signal_peptide,
    "solubility": solubility,
    "localization": localization,
    "promoter": promoter,
    "splice": splice,
    "contacts": contacts,
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
        print(f"{task}: {len(table):,} sequences")


if __name__ == "__main__":
    main()
