"""One evaluation: predictors and baselines on test sets, figures with intervals."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from bioseq.alphabet import ALPHABETS
from bioseq.errors import InputError
from bioseq.evaluation.baselines import fit_baselines
from bioseq.evaluation.bootstrap import Interval, estimate, estimate_mean
from bioseq.evaluation.metrics import metrics_of
from bioseq.evaluation.pairs import fit_separation, pair_metrics
from bioseq.evaluation.settings import Trial
from bioseq.labels.columns import Labels, label_rows, pair_labels, read_labels
from bioseq.prediction.tasks import (
    TaskOptions,
    load_predictor,
    predict_alignments,
    predict_files,
)
from bioseq.prediction.tasks.encoders import load_referenced
from bioseq.store import Store
from bioseq.tables import read_column, read_frame
from bioseq.typing import Molecule


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One method on one test set.

    Attributes:
        test: Name of the test set.
        method: The predictor, a baseline, or `published: ...`.
        sequences: Labelled sequences of the test set.
        figures: By the metric's name; empty for published methods.
    """

    test: str
    method: str
    sequences: int
    figures: dict[str, Interval]


def evaluate(
    trials: Sequence[Trial],
    folder: Path,
    report: Callable[[str], None] = print,
    *,
    resamples: int = 200,
) -> list[Row]:
    """Judges predictors on test sets, beside baselines fitted on their training sets.

    Args:
        trials: What to judge.
        folder: Folder that the tables' paths are relative to.
        report: Takes a line for each row.
        resamples: Of the confidence intervals.

    Raises:
        BioseqError: a table or a predictor can't be used.
    """
    rows = []
    for trial in trials:
        for row in _run(trial, folder, resamples):
            report(f"{row.test}: {row.method}: {describe(row)}")
            rows.append(row)
    return rows


def describe(row: Row) -> str:
    """Returns the figures of a row in one line."""
    return ", ".join(f"{name} {figure}" for name, figure in row.figures.items())


def _run(trial: Trial, folder: Path, resamples: int) -> Iterator[Row]:
    path = folder / trial.table
    frame = read_frame(path)
    if trial.where:
        name, _, value = trial.where.partition("=")
        read_column(frame, name, path)
        frame = frame.filter(pl.col(name) == value)
    sequences = _sequences(frame, path)
    labels = read_labels(frame, trial, sequences, path)

    def judge(method: str, found: Sequence[np.ndarray]) -> Row:
        figures = _figures(trial, labels, found, resamples)
        return Row(test=trial.name, method=method, sequences=len(sequences), figures=figures)

    if trial.alignments:
        files = [path.parent / str(name) for name in read_column(frame, trial.alignments, path)]
        yield judge(
            f"bioseq {trial.predictor}, from alignments", _predict_aligned(trial, files, sequences)
        )
    else:
        yield judge(f"bioseq {trial.predictor}", predict_sequences(trial, sequences))
    if trial.training:
        for method, predict in _baselines(trial, folder).items():
            yield judge(method, predict(sequences))
    for published in trial.published:
        yield Row(
            test=trial.name, method=f"published: {published}", sequences=len(sequences), figures={}
        )


def _figures(
    trial: Trial, labels: Sequence[Labels], found: Sequence[np.ndarray], resamples: int
) -> dict[str, Interval]:
    """Judges rows of all sequences together, but pairs in each sequence by itself."""
    if trial.level != "pair":
        rows = [label_rows(label) for label in labels]
        metrics = metrics_of(trial.kind, len(trial.classes))
        return {n: estimate(m, rows, found, resamples=resamples) for n, m in metrics.items()}
    values: dict[str, list[float]] = {name: [] for name in pair_metrics(trial.kind)}
    for label, square in zip(pair_labels(labels), found, strict=True):
        truth = label.square()
        for name, metric in pair_metrics(trial.kind).items():
            values[name].append(metric(truth, square))
    return {name: estimate_mean(each, resamples=resamples) for name, each in values.items()}


def predict_sequences(trial: Trial, sequences: Sequence[str]) -> list[np.ndarray]:
    """Returns the predictions of a trial's target for each sequence.

    They are `[residues, classes]`, `[1, classes]`, or for pairs `[residues, residues]`.
    """
    with tempfile.TemporaryDirectory() as name:
        fasta = Path(name) / "test.fasta"
        fasta.write_text("".join(f">{i}\n{s}\n" for i, s in enumerate(sequences)))
        options = TaskOptions(tasks=trial.predictor, molecule=_molecule(trial))
        with predict_files(fasta, Path(name) / "test.h5", options) as store:
            return _values_of(store, trial)


def _predict_aligned(
    trial: Trial, files: Sequence[Path], sequences: Sequence[str]
) -> list[np.ndarray]:
    """Returns the same for the first row of each alignment."""
    with tempfile.TemporaryDirectory() as name:
        options = TaskOptions(tasks=trial.predictor)
        with predict_alignments(files, Path(name) / "test.h5", options) as store:
            for record, problem in store.failures.select("record", "reason").iter_rows():
                raise InputError(files[record], problem)
            found = store.records["length"].to_list()
            for file, length, sequence in zip(files, found, sequences, strict=True):
                if length != len(sequence):
                    problem = f"its first row has {length} residues, the table's {len(sequence)}"
                    raise InputError(file, problem)
            return _values_of(store, trial)


def _values_of(store: Store, trial: Trial) -> list[np.ndarray]:
    return [
        np.atleast_2d(np.asarray(values)).astype(float)
        for _, values in store.predictions[trial.target]
    ]


def _molecule(trial: Trial) -> Molecule:
    predictor = load_predictor(trial.predictor)
    return load_referenced(predictor.encoder, predictor.task).molecule


def _baselines(trial: Trial, folder: Path) -> dict[str, Callable[..., list[np.ndarray]]]:
    path = folder / trial.training
    frame = read_frame(path)
    frame = frame.filter(pl.col("split") == "train") if "split" in frame.columns else frame
    count = min(trial.baseline_sequences, len(frame))
    frame = frame.sample(count, seed=0, shuffle=True)
    sequences = _sequences(frame, path)
    labels = read_labels(frame, trial, sequences, path)
    if trial.level == "pair":
        return {"mean by separation": fit_separation(pair_labels(labels))}
    rows = [label_rows(label) for label in labels]
    symbols = ALPHABETS[_molecule(trial)].canonical
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a baseline that has not quite converged is still one
        return fit_baselines(sequences, rows, trial, symbols)


def _sequences(frame: pl.DataFrame, path: Path) -> list[str]:
    return [str(sequence).upper() for sequence in read_column(frame, "sequence", path)]
