"""Compares the axial network with the classical methods on families it never saw.

    python pipelines/research/contacts/evaluate.py --alignments msa_pdb \
        --structures pdb_chains_backbone.npz --checkpoint run/checkpoint.pt \
        --settings pipelines/research/contacts/contacts.toml --network run/network \
        --output run/test.tsv

Writes a line for each family and prints means with 95 % bootstrap intervals over the families;
The averaged weights are written as a folder that `bioseq predict contacts` reads.
The deepest alignments come first; interrupted, it goes on behind the last family.
"""

from __future__ import annotations

import argparse
import csv
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from families import Family, read_families

from bioseq.models.axial_contacts import AxialContactConfig, AxialContactModel
from bioseq.prediction.contacts.features import COLUMN_FEATURES
from bioseq.prediction.contacts.network import load_network, save_network
from bioseq.prediction.contacts.precision import precision_at
from bioseq.prediction.contacts.predictors import (
    AxialContacts,
    ContactMethod,
    MeanFieldCouplings,
    MutualInformation,
)

DEEP = 64
RESAMPLES = 10_000
MEASURES = ("P@L", "P@L/5")


def write_network(checkpoint: Path, settings: Path, folder: Path) -> None:
    """Writes the averaged weights of a checkpoint."""
    with settings.open("rb") as file:
        shape = tomllib.load(file)["model"]
    model = AxialContactModel(AxialContactConfig(column_features=COLUMN_FEATURES, **shape))
    model.load_state_dict(torch.load(checkpoint, weights_only=True)["averaged"])
    save_network(model, folder)


def measure(family: Family, predictors: Sequence[ContactMethod]) -> dict[str, str]:
    """Returns the long-range precisions of each method, and those of chance, on one family."""
    msa = family.read()
    row = {"id": family.id, "depth": str(msa.depth), "length": str(msa.length)}
    for predictor in predictors:
        scores = predictor.predict(msa)
        for name, count in zip(MEASURES, (msa.length, msa.length // 5), strict=True):
            value = precision_at(scores, family.contacts, family.known, count=count)
            row[f"{predictor.name} {name}"] = f"{value:.5f}"
    everything = msa.length**2
    value = precision_at(
        np.zeros((msa.length, msa.length)), family.contacts, family.known, count=everything
    )
    return row | {"chance": f"{value:.5f}"}


def summarize(rows: Sequence[Mapping[str, str]], title: str) -> None:
    """Prints means, and those of the differences from the network, with bootstrap intervals."""
    columns = [name for name in rows[0] if name not in ("id", "depth", "length")]
    table = {name: np.array([float(row[name]) for row in rows]) for name in columns}
    print(f"{title}: {len(rows)} families")
    for name, values in table.items():
        print(f"  {name}\t{_interval(values)}")
    for other in ("mfdca", "mi"):
        for measure_ in MEASURES:
            gain = table[f"axial-contacts {measure_}"] - table[f"{other} {measure_}"]
            print(f"  axial-contacts - {other} {measure_}\t{_interval(gain)}")


def _interval(values: np.ndarray) -> str:
    values = values[~np.isnan(values)]
    draws = np.random.default_rng(0).integers(len(values), size=(RESAMPLES, len(values)))
    low, high = np.percentile(values[draws].mean(axis=1), [2.5, 97.5])
    return f"{values.mean():.3f} ({low:.3f} to {high:.3f})"


def main() -> None:
    """Reads the arguments, measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--alignments", type=Path, required=True)
    parser.add_argument("--structures", type=Path, required=True)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--settings", type=Path, required=True)
    parser.add_argument("--network", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    arguments = parser.parse_args()
    write_network(arguments.checkpoint, arguments.settings, arguments.network)
    network = AxialContacts(*load_network(arguments.network))
    predictors = (network, MeanFieldCouplings(), MutualInformation())
    families = read_families(arguments.alignments, arguments.structures)
    rows: list[dict[str, str]] = []
    if arguments.output.exists():
        with arguments.output.open() as file:
            rows = list(csv.DictReader(file, delimiter="\t"))
    held_out = sorted((f for f in families if f.part == "test"), key=lambda f: -f.depth)
    for family in held_out[len(rows) :]:
        rows.append(measure(family, predictors))
        with arguments.output.open("a") as file:
            writer = csv.DictWriter(file, rows[0].keys(), delimiter="\t")
            if len(rows) == 1:
                writer.writeheader()
            writer.writerow(rows[-1])
    summarize(rows, "all")
    summarize([row for row in rows if int(row["depth"]) >= DEEP], f"depth {DEEP} and more")


if __name__ == "__main__":
    main()
