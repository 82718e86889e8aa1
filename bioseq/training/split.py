"""From a sequence file to training and held-out sequences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from jaxtyping import Bool, Int64, Shaped

from bioseq.alphabet import ALPHABETS
from bioseq.errors import AlphabetError, InputError
from bioseq.files import replacing
from bioseq.io import open_records
from bioseq.records import Record
from bioseq.training.clusters import cluster_sequences
from bioseq.training.corpus import Corpus, build_corpus
from bioseq.training.leakage import find_leaks
from bioseq.training.settings import TrainingSettings
from bioseq.typing import Molecule

PARTS = ("train", "valid", "test")

_NAMED_RECORDS = 3
_LARGEST_SHARE_OF_A_PART = 0.25

Labels = Shaped[np.ndarray, " records"]


@dataclass(frozen=True, kw_only=True)
class Split:
    """Sequences by use.

    Attributes:
        train: For fitting.
        valid: For watching a run.
        test: For the figure to report.
        leaks: Held-out sequences (valid and test) that resemble a training sequence.
    """

    train: Corpus
    valid: Corpus
    test: Corpus
    leaks: int


def load_split(settings: TrainingSettings, table: Path) -> Split:
    """Reads the sequences and splits them as the settings say.

    Args:
        settings: Of the run.
        table: Tab-separated file of records with their parts and leaks: written, or read where it
            is there already.

    Raises:
        InputError: a record is empty or has a symbol outside the alphabet, a part of the split is
            empty, or a description names no part.
    """
    path = settings.folder / settings.data.sequences
    records = read_records(path, settings.data.molecule)
    if table.exists():
        parts, leaks = _read_table(table, len(records))
    else:
        parts = _assign(records, settings, path)
        leaks = find_leaks(
            [record.sequence for record in records], parts != "train", settings.data.molecule
        )
        _write_table(table, records, parts, leaks)
    corpora = {
        part: build_corpus([records[i].sequence for i in np.flatnonzero(parts == part)])
        for part in PARTS
    }
    return Split(**corpora, leaks=int(leaks.sum()))


def read_records(path: Path, molecule: Molecule) -> list[Record]:
    """Reads training sequences, all of which have to be fit for it.

    Raises:
        InputError: names the first records that are empty or have a symbol outside the alphabet.
    """
    with open_records(path) as reader:
        records = list(reader)
    problems = [
        f"record {number:,} {record.id!r}: {problem}"
        for number, record in enumerate(records, start=1)
        if (problem := _problem(record.sequence, molecule))
    ]
    if problems:
        listed = "; ".join(problems[:_NAMED_RECORDS])
        more = f"; and {len(problems) - _NAMED_RECORDS:,} more" * (len(problems) > _NAMED_RECORDS)
        counted = f"{len(problems):,} of {len(records):,} records can't be trained on"
        raise InputError(path, f"{counted}: {listed}{more}; correct or remove them")
    return records


def _problem(sequence: str, molecule: Molecule) -> str | None:
    try:
        ALPHABETS[molecule].check(sequence)
    except AlphabetError as error:
        return str(error)
    return None if sequence else "no sequence"


def _assign(records: Sequence[Record], settings: TrainingSettings, path: Path) -> Labels:
    data = settings.data
    if data.split == "description":
        parts = _read_parts(records, path)
    else:
        clusters = cluster_sequences([record.sequence for record in records], data.molecule)
        parts = deal_clusters(clusters, data.held_out, settings.optimizer.seed)
    for part in PARTS:
        if not (parts == part).any():
            problem = f"no sequence in the {part} part of the split {data.split!r}"
            raise InputError(path, f"{problem}; of {len(records):,} records")
    return parts


def _read_parts(records: Sequence[Record], path: Path) -> Labels:
    words = [(record.description.split() or [""])[-1] for record in records]
    for number, (record, word) in enumerate(zip(records, words, strict=True), start=1):
        if word not in PARTS:
            found = f"the description of record {number:,} {record.id!r} ends in {word!r}"
            raise InputError(path, f"{found}; expected {', '.join(PARTS)}")
    return np.array(words)


def deal_clusters(clusters: Int64[np.ndarray, " records"], held_out: float, seed: int) -> Labels:
    """Deals whole clusters, in random order, to valid and test until each has half the share.

    Clusters above a quarter of a part are trained on, so that no family makes up a part by itself.
    """
    names, member, sizes = np.unique(clusters, return_inverse=True, return_counts=True)
    quota = held_out / 2 * len(clusters)
    small = np.flatnonzero(sizes <= max(1, quota * _LARGEST_SHARE_OF_A_PART))
    order = np.random.default_rng(seed).permutation(small)
    filled = np.cumsum(sizes[order])
    part_of = np.full(len(names), "train")
    part_of[order[filled <= 2 * quota]] = "test"
    part_of[order[filled <= quota]] = "valid"
    return part_of[member]


def _write_table(
    table: Path, records: Sequence[Record], parts: Labels, leaks: Bool[np.ndarray, " records"]
) -> None:
    columns = {
        "record": range(1, len(records) + 1),
        "id": [record.id for record in records],
        "part": parts.tolist(),
        "resembles_train": leaks.astype(int).tolist(),
    }
    with replacing(table) as temporary:
        pl.DataFrame(columns).write_csv(temporary, separator="\t")


def _read_table(table: Path, num_records: int) -> tuple[Labels, Bool[np.ndarray, " records"]]:
    frame = pl.read_csv(table, separator="\t", infer_schema=False)
    if len(frame) != num_records:
        problem = f"{len(frame):,} records where the sequences have {num_records:,}"
        raise InputError(table, f"{problem}; delete it to split again")
    return frame["part"].to_numpy().astype(str), frame["resembles_train"].to_numpy() == "1"
