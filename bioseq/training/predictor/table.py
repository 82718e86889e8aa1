"""The label table: sequences with their part of the split and their labels."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from jaxtyping import Bool, Int64, Shaped

from bioseq.alphabet import ALPHABETS
from bioseq.errors import AlphabetError, FormatError, InputError, OptionError
from bioseq.io import open_records
from bioseq.labels.columns import Labels, Rows, label_rows, read_labels
from bioseq.tables import read_column, read_frame
from bioseq.training.clusters import cluster_sequences
from bioseq.training.leakage import find_leaks
from bioseq.training.predictor.settings import LabelSettings, PredictorSettings
from bioseq.training.split import PARTS, deal_clusters
from bioseq.typing import Molecule


@dataclass(frozen=True, kw_only=True)
class LabelTable:
    """Labelled sequences.

    Attributes:
        sequences: Upper case.
        parts: `train`, `valid` or `test` for each.
        labels: For each target, by name, the labels of each sequence.
    """

    sequences: list[str]
    parts: Shaped[np.ndarray, " sequences"]
    labels: dict[str, list[Labels]]

    def members(self, part: str) -> Int64[np.ndarray, " members"]:
        """Returns the indices of the sequences of a part."""
        return np.flatnonzero(self.parts == part)

    def find_leaks(self, molecule: Molecule) -> Bool[np.ndarray, " sequences"]:
        """Tells the held-out sequences that equal or resemble a training sequence."""
        return find_leaks(self.sequences, self.parts != "train", molecule)


def load_table(settings: PredictorSettings) -> LabelTable:
    """Reads the table and splits it as the settings say.

    Raises:
        InputError: a file can't be read, or a part is empty.
        FormatError: a column is missing, or a label does not fit its sequence or the head.
    """
    path = settings.folder / settings.data.table
    frame = read_frame(path)
    sequences = _sequences(frame, settings.data, path, settings.folder)
    first = settings.encoder.first_residues
    if first and any(target.level != "sequence" for target in settings.targets):
        raise OptionError("first_residues", first, allowed="0, or targets per sequence alone")
    sequences = [sequence[:first] for sequence in sequences] if first else sequences
    parts = _parts(frame, sequences, settings.data, settings.optimizer.seed, path)
    for part in ("train", "valid"):
        if not (parts == part).any():
            raise InputError(path, f"no sequence in the {part} part of {len(frame):,} rows")
    labels = {
        target.name: read_labels(frame, target, sequences, path) for target in settings.targets
    }
    if settings.head.shortest:
        [target] = [target for target in settings.targets if target.level == "residue"]
        for line, found in enumerate(labels[target.name], start=2):
            runs = label_rows(found)
            check_runs(runs, target.classes, settings.head.shortest, path, line=line)
    return LabelTable(sequences=sequences, parts=parts, labels=labels)


def check_runs(
    labels: Rows, classes: Sequence[str], shortest: Sequence[int], path: Path, *, line: int
) -> None:
    """Refuses labels that a random field could never give; what borders on a gap may go on in it.

    Raises:
        FormatError: a run is too short.
    """
    numbers = np.nan_to_num(labels[:, 0], nan=-1).astype(np.int64)
    bounds = [0, *(np.flatnonzero(np.diff(numbers)) + 1).tolist(), len(numbers)]
    for start, stop in itertools.pairwise(bounds):
        label = int(numbers[start])
        beside = [*numbers[max(0, start - 1) : start], *numbers[stop : stop + 1]]
        if label >= 0 and stop - start < shortest[label] and -1 not in beside:
            found = f"{stop - start} neighbouring residues of {classes[label]!r} at {start + 1}"
            expected = f"at least {shortest[label]}, as shortest says"
            raise FormatError("label table", path=path, line=line, found=found, expected=expected)


def _sequences(frame: pl.DataFrame, data: LabelSettings, path: Path, folder: Path) -> list[str]:
    if data.sequences:
        known = {}
        with open_records(folder / data.sequences) as records:
            known = {record.id: record.sequence for record in records}
        found = [known.get(str(id)) for id in read_column(frame, data.id, path)]
    else:
        found = read_column(frame, data.sequence, path)
    alphabet = ALPHABETS[data.molecule]
    sequences = []
    for row, sequence in enumerate(found, start=1):
        if not sequence:
            raise FormatError("label table", path=path, line=row + 1, found="no sequence")
        try:
            alphabet.check(sequence)
        except AlphabetError as error:
            raise FormatError("label table", path=path, line=row + 1, found=str(error)) from None
        sequences.append(sequence.upper())
    return sequences


def _parts(
    frame: pl.DataFrame, sequences: list[str], data: LabelSettings, seed: int, path: Path
) -> Shaped[np.ndarray, " sequences"]:
    if data.split == "column":
        words = read_column(frame, data.split_column, path)
        for word in words:
            if word not in PARTS:
                raise OptionError(data.split_column, word, allowed=PARTS)
        return np.array(words)
    if data.split == "random":
        return deal_clusters(np.arange(len(sequences)), data.held_out, seed)
    return deal_clusters(cluster_sequences(sequences, data.molecule), data.held_out, seed)
