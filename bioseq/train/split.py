"""From a sequence file to training and held-out sequences."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from bioseq.alphabet import ALPHABETS
from bioseq.errors import InputError
from bioseq.io import open_records
from bioseq.records import Record
from bioseq.train.clusters import cluster_sequences
from bioseq.train.corpus import Corpus, build_corpus
from bioseq.train.settings import TrainingSettings


@dataclass(frozen=True, kw_only=True)
class Split:
    """Sequences by use.

    Attributes:
        train: For fitting.
        valid: For watching a run.
        test: For the figure to report.
    """

    train: Corpus
    valid: Corpus
    test: Corpus


def load_split(settings: TrainingSettings) -> Split:
    """Reads the sequences and splits them as the settings say.

    Raises:
        InputError: a part of the split is empty, or a description names no part.
        AlphabetError: a sequence has a symbol outside the alphabet.
    """
    data = settings.data
    path = settings.folder / data.sequences
    with open_records(path) as reader:
        records = [record for record in reader if record.sequence]
    for record in records:
        ALPHABETS[data.molecule].check(record.sequence)
    if data.split == "description":
        labels = [record.description.rsplit(maxsplit=1)[-1:] for record in records]
        parts = np.array([label[0] if label else "" for label in labels], dtype=object)
    else:
        parts = _split_by_cluster(records, data.held_out, settings.optimizer.seed)
    split = {
        part: build_corpus([records[i].sequence for i in np.flatnonzero(parts == part)])
        for part in ("train", "valid", "test")
    }
    for part, corpus in split.items():
        if not len(corpus):
            raise InputError(path, f"no sequence in the {part} part of the split '{data.split}'")
    return Split(**split)


def _split_by_cluster(
    records: Iterable[Record], held_out: float, seed: int
) -> np.ndarray[tuple[int], np.dtype[np.object_]]:
    """Deals whole clusters, in random order, to valid and test until each has its share."""
    clusters = cluster_sequences([record.sequence for record in records])
    names, sizes = np.unique(clusters, return_counts=True)
    order = np.random.default_rng(seed).permutation(len(names))
    share = np.cumsum(sizes[order]) / len(clusters)
    part_of = np.full(len(names), "train", dtype=object)
    part_of[order[share <= held_out]] = "test"
    part_of[order[share <= held_out / 2]] = "valid"
    return part_of[np.searchsorted(names, clusters)]
