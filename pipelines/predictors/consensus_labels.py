"""Gives families of the corpus the secondary structure that a predictor says of all members.

    python pipelines/predictors/consensus_labels.py ../shared/data tables runs/NAME/predictor

A predictor reads single sequences; the mean of what it says of a protein's relatives, residue by
aligned residue, is right more often than what it says of the protein alone, as if it had read their
alignment. Reads `secondary-structure-transferred.parquet` and writes
`secondary-structure-consensus.parquet`: its rows, and one for each protein of some families, with
the most probable states of that mean; residues of which fewer than three relatives speak are
masked. Proteins that resemble a held-out sequence are left out.

Source: after Moffat & Jones 2021 (S4PRED), who label single sequences by predictions from
alignments.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import polars as pl
from jaxtyping import Float32
from relatives import aligned, leave_out, read_corpus, read_held_out, search

from bioseq.predict.tasks import TaskOptions, load_predictor, predict_files

SEEDS = 14_000
LENGTHS = (40, 700)
FEWEST_RELATIVES = 8
FAMILY = 14
VOTES = 30
OWN_WEIGHT = 2
FEWEST_VOTES = 3
COLUMNS = {"ss3": "secondary-structure", "ss8": "secondary-structure-8"}


def main() -> None:
    """Writes the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("tables", type=Path)
    parser.add_argument("predictor", type=Path)
    arguments = parser.parse_args()
    corpus = leave_out(read_corpus(arguments.data), read_held_out(arguments.tables))
    proteins = choose_families({n: s for n, s in corpus.items() if is_plain(s)})
    hits = search(proteins, proteins, sensitivity=5.7, e_value=1e-3, most=40)
    labelled = pl.read_parquet(arguments.tables / "secondary-structure-transferred.parquet")
    rows = label(proteins, hits, arguments.predictor)
    known = set(labelled["sequence"])
    found = pl.DataFrame([row for row in rows if row["sequence"] not in known], labelled.schema)
    table = pl.concat([labelled, found])
    table.write_parquet(arguments.tables / "secondary-structure-consensus.parquet")
    print(f"{len(found):,} proteins with {found['sequence'].str.len_chars().sum():,} residues")


def is_plain(sequence: str) -> bool:
    """Tells whether a protein is of common length and has common residues alone."""
    return LENGTHS[0] <= len(sequence) <= LENGTHS[1] and not set(sequence) - {
        *"ACDEFGHIKLMNPQRSTVWXY"
    }


def choose_families(corpus: Mapping[str, str]) -> dict[str, str]:
    """Chooses proteins at random that have several relatives, and these."""
    names = sorted(corpus)
    random.Random(1).shuffle(names)
    seeds = {name: corpus[name] for name in names[:SEEDS]}
    hits = search(seeds, corpus, sensitivity=5, e_value=1e-4, most=40, coverage=0.6)
    hits = hits.filter(pl.col("query") != pl.col("target"))
    families = dict(hits.group_by("query").agg("target").iter_rows())
    chosen: dict[str, str] = {}
    for seed in seeds:
        relatives = families.get(seed, [])
        if len(relatives) >= FEWEST_RELATIVES and seed not in chosen:
            chosen |= {name: corpus[name] for name in [seed, *relatives[:FAMILY]]}
    return chosen


def label(proteins: Mapping[str, str], hits: pl.DataFrame, predictor: Path) -> list[dict[str, str]]:
    """Gives every protein with enough relatives among the others its consensus."""
    states = predict(proteins, predictor)
    classes = {t.name: t.classes for t in load_predictor(predictor).targets}
    sums = {
        column: {name: OWN_WEIGHT * values for name, values in states[column].items()}
        for column in COLUMNS
    }
    votes = {name: np.zeros(len(sequence), np.int64) for name, sequence in proteins.items()}
    voters = (
        hits.filter(pl.col("query") != pl.col("target"))
        .group_by("query", maintain_order=True)
        .head(VOTES)
    )
    relatives = dict(voters["query"].value_counts().iter_rows())
    for hit in voters.iter_rows(named=True):
        here, there = aligned(hit)
        for column in COLUMNS:
            sums[column][hit["query"]][here] += states[column][hit["target"]][there]
        votes[hit["query"]][here] += 1
    return [
        {
            "sequence": proteins[name],
            "split": "train",
            **{
                column: "".join(classes[target][state] for state in sums[column][name].argmax(1))
                for column, target in COLUMNS.items()
            },
            "mask": "".join("1" if count >= FEWEST_VOTES else "0" for count in votes[name]),
        }
        for name in proteins
        if relatives.get(name, 0) > FEWEST_VOTES
    ]


def predict(
    proteins: Mapping[str, str], predictor: Path
) -> dict[str, dict[str, Float32[np.ndarray, "residues states"]]]:
    """Gives what a predictor says of each protein alone, by column and name."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "proteins.fasta")
        source.write_text("".join(f">{name}\n{s}\n" for name, s in proteins.items()))
        options = TaskOptions(tasks=predictor, molecule="protein")
        with predict_files(source, Path(folder, "proteins.h5"), options) as store:
            views = {column: store.predictions[target] for column, target in COLUMNS.items()}
            return {
                column: {name: np.array(view[i]) for i, name in enumerate(proteins)}
                for column, view in views.items()
            }


if __name__ == "__main__":
    main()
