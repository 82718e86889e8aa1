"""How much of the secondary structure a linear map finds in the residue vectors of a model.

Fits one logistic regression per model on frozen residue vectors of NetSurfP-2.0 training proteins
and counts the right states (H, E, C) on NEW364, resolved residues only; one-hot windows of 15
residues are the baseline.

    python pipelines/evaluation/probe.py netsurfp2.tsv.gz protein-lstm protein-transformer

Needs the extra `train`. Source of the data: Klausen et al. 2019 (NetSurfP-2.0).
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
import polars as pl
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from bioseq.alphabet import PROTEIN
from bioseq.embedding import EmbedOptions, embed_files

WINDOW = 7
STATES = "HEC"


def read_proteins(path: Path, part: str, limit: int) -> pl.DataFrame:
    """Returns the first proteins of a part: id, sequence, ss3, resolved_mask."""
    table = pl.read_csv(path, separator="\t", infer_schema=False)
    return table.filter(pl.col("set") == part).head(limit)


def residue_vectors(proteins: pl.DataFrame, model: str) -> list[np.ndarray]:
    """Embeds proteins; one array `[residues, dim]` each."""
    with tempfile.TemporaryDirectory() as folder:
        fasta = Path(folder) / "proteins.fasta"
        fasta.write_text(
            "".join(f">{i}\n{s}\n" for i, s in proteins.select("id", "sequence").iter_rows())
        )
        options = EmbedOptions(model=model, pool=[], per_residue=True)
        with embed_files(fasta, Path(folder) / "residues.h5", options) as store:
            return [values for _, values in store["residue"]]


def one_hot_windows(proteins: pl.DataFrame) -> list[np.ndarray]:
    """Returns each residue's neighbourhood, one-hot; one array `[residues, features]` each."""
    letters = np.array(list(PROTEIN.canonical))
    windows = []
    for sequence in proteins["sequence"]:
        one_hot = np.array(list(sequence))[:, None] == letters
        padded = np.pad(one_hot, ((WINDOW, WINDOW), (0, 0)))
        parts = [padded[i : i + len(sequence)] for i in range(2 * WINDOW + 1)]
        windows.append(np.concatenate(parts, axis=1).astype(np.float32))
    return windows


def labelled(proteins: pl.DataFrame, vectors: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Joins the resolved residues of all proteins with their states."""
    masks = [np.array(list(mask)) == "1" for mask in proteins["resolved_mask"]]
    states = [np.array(list(text)) for text in proteins["ss3"]]
    return (
        np.concatenate([v[m] for v, m in zip(vectors, masks, strict=True)]),
        np.concatenate([s[m] for s, m in zip(states, masks, strict=True)]),
    )


def accuracy(train: pl.DataFrame, test: pl.DataFrame, features: list[list[np.ndarray]]) -> float:
    """Returns the share of right states (Q3) on the test proteins."""
    x, y = labelled(train, features[0])
    x_test, y_test = labelled(test, features[1])
    scaler = StandardScaler().fit(x)
    probe = LogisticRegression(C=0.1, max_iter=100).fit(scaler.transform(x), y)
    return float(probe.score(scaler.transform(x_test), y_test))


def main() -> None:
    """Prints one line for each model."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("table", type=Path)
    parser.add_argument("models", nargs="+")
    parser.add_argument("--train-proteins", type=int, default=400)
    arguments = parser.parse_args()
    train = read_proteins(arguments.table, "train", arguments.train_proteins)
    test = read_proteins(arguments.table, "test", 10_000)
    print(f"{len(train)} training proteins, {len(test)} test proteins (NEW364)")
    baseline = [one_hot_windows(train), one_hot_windows(test)]
    print(f"{'one-hot window':24} Q3 {accuracy(train, test, baseline):.3f}")
    for model in arguments.models:
        vectors = [residue_vectors(train, model), residue_vectors(test, model)]
        print(f"{model:24} Q3 {accuracy(train, test, vectors):.3f}")


if __name__ == "__main__":
    main()
