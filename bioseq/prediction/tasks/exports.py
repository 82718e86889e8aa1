"""Predictions in the files that other programs read: FASTA strings, tables, GFF3."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

import numpy as np
import polars as pl

from bioseq.errors import OptionError, StoreError
from bioseq.files import replacing
from bioseq.prediction.tasks.meaning import Segmentation, classes_of, kind_of, segmentation_of
from bioseq.prediction.tasks.pairs import list_pairs
from bioseq.prediction.tasks.segments import decode, feature_of, segments, to_letters
from bioseq.store import Embedding, Store, prepare_output
from bioseq.typing import AnyPath

_GFF_SAFE = " !#$*+-./:<>?@^_`{|}~()[]"


def export_predictions(store: Store, output: AnyPath) -> Path:
    """Writes the predictions of a store in the format that the file's suffix names.

    `.fasta`: for each target with classes per residue, the string of the most probable classes.
    `.csv`, `.tsv`, `.parquet`: a row per record with everything said of it. `.gff3`: segments of
    one class, with their mean probability as score. What is said of pairs is in tables alone.

    Args:
        store: An open store.
        output: The file to write, in one step.

    Raises:
        OptionError: the suffix is none of these, or the store has nothing that fits the format.
        StoreError: the file can't be written.
    """
    output = Path(output)
    if output.suffix not in EXPORTS:
        raise OptionError("suffix of the export", output.suffix, allowed=EXPORTS)
    try:
        with replacing(output) as temporary:
            EXPORTS[output.suffix](store, temporary)
    except OSError as error:
        raise StoreError(output, f"can't be written: {error.strerror or error}") from error
    return output


def prepare_exports(outputs: Sequence[Path], *, overwrite: bool) -> None:
    """Refuses outputs that can't be written, before anything is computed.

    Raises:
        OptionError: a suffix is not known.
        StoreError: a file exists and is not to be replaced, or its folder is missing.
    """
    for output in outputs:
        if output.suffix not in EXPORTS:
            raise OptionError("suffix of the export", output.suffix, allowed=EXPORTS)
        prepare_output(output, overwrite=overwrite)


def prediction_table(store: Store) -> pl.DataFrame:
    """Returns a row per record: id, length, every target, and the reason of a failure.

    A target per sequence has a column for each class's probability and one for the most probable
    class (for labels: all above one half, joined by `|`); one per residue has the string of the
    most probable classes, or numbers with commas between; one of pairs see `list_pairs`.
    """
    records = store.records.select(pl.col("record") + 1, "id", "length", "failure")
    columns: list[pl.Series] = []
    for name, view in store.predictions.items():
        columns += prediction_columns(name, view)
    return records.with_columns(columns)


def prediction_columns(name: str, view: Embedding) -> list[pl.Series]:
    """Returns the columns of one target; see `prediction_table`."""
    if not (view.is_per_residue or view.is_per_pair):
        return _per_sequence(name, view)
    texts: list[str | None] = [None] * len(view)
    write = _writer(view)
    for record in view.records.tolist():
        texts[record] = write(np.asarray(view[record]))
    return [pl.Series(name, texts, pl.String)]


def _writer(view: Embedding) -> Callable[[np.ndarray], str]:
    """Returns what writes the value of a record in a cell, of residues or of pairs."""
    is_value = kind_of(view) == "value"
    if view.is_per_pair:
        return lambda value: list_pairs(value, most_probable=not is_value)
    if is_value:
        return lambda value: ",".join(f"{x:.4g}" for x in value[:, 0])
    segmentation = segmentation_of(view)
    return lambda value: _letters(value, segmentation)


def _letters(value: np.ndarray, segmentation: Segmentation) -> str:
    return to_letters(decode(value, segmentation.grammar), segmentation.classes)


def _per_sequence(name: str, view: Embedding) -> list[pl.Series]:
    values = np.full((len(view), view.dim), np.nan)
    values[view.records] = np.asarray(view.to_numpy())
    classes = classes_of(view)
    if kind_of(view) == "value":
        return [pl.Series(name, values[:, 0]).fill_nan(None)]
    columns = [
        pl.Series(f"{name}.{label}", values[:, i]).fill_nan(None) for i, label in enumerate(classes)
    ]
    chosen: list[str | None] = [None] * len(view)
    for record in view.records.tolist():
        chosen[record] = choose_classes(values[record], classes, kind_of(view))
    return [pl.Series(name, chosen, pl.String), *columns]


def choose_classes(probabilities: np.ndarray, classes: list[str], kind: str) -> str:
    """Names the most probable class, or of labels all above one half (or the most probable)."""
    best = classes[int(probabilities.argmax())]
    if kind == "classes":
        return best
    above = [c for c, p in zip(classes, probabilities.tolist(), strict=True) if p > 0.5]
    return "|".join(above) or best


def _write_csv(store: Store, path: Path) -> None:
    prediction_table(store).write_csv(path)


def _write_tsv(store: Store, path: Path) -> None:
    prediction_table(store).write_csv(path, separator="\t")


def _write_parquet(store: Store, path: Path) -> None:
    prediction_table(store).write_parquet(path)


def _write_fasta(store: Store, path: Path) -> None:
    views = _segmented(store, "FASTA")
    with path.open("w", encoding="utf-8") as file:
        for record, id in enumerate(store.ids):
            for name, (view, segmentation) in views.items():
                if store.rows[record] >= 0:
                    letters = _letters(np.asarray(view[record]), segmentation)
                    file.write(f">{id} {name}\n{letters}\n")


def _write_gff(store: Store, path: Path) -> None:
    views = _segmented(store, "GFF3")
    with path.open("w", encoding="utf-8") as file:
        file.write("##gff-version 3\n")
        for record, id in enumerate(store.ids):
            if store.rows[record] >= 0:
                for name, (view, segmentation) in views.items():
                    value = np.asarray(view[record])
                    file.writelines(_gff_lines(id, name, value, segmentation))


def _gff_lines(id: str, name: str, value: np.ndarray, segmentation: Segmentation) -> Iterator[str]:
    seqid = quote(id, safe=_GFF_SAFE.replace(" ", "").replace(">", ""))
    for segment in segments(value, segmentation.classes, segmentation.grammar):
        feature = feature_of(segmentation.features, segment.label)
        if feature is not None:
            label = quote(segment.label, safe="_-. ")
            yield (
                f"{seqid}\tbioseq\t{feature}\t{segment.start + 1}\t{segment.stop}\t"
                f"{segment.score:.3f}\t.\t.\tName={name}:{label}\n"
            )


def _segmented(store: Store, format: str) -> dict[str, tuple[Embedding, Segmentation]]:
    views = {
        name: (view, segmentation_of(view))
        for name, view in store.predictions.items()
        if view.is_per_residue and kind_of(view) == "classes"
    }
    if not views:
        allowed = f"a task with classes per residue for {format}"
        raise OptionError("predictions", ", ".join(store.predictions), allowed=allowed)
    return views


EXPORTS: Mapping[str, Callable[[Store, Path], None]] = {
    ".fasta": _write_fasta,
    ".csv": _write_csv,
    ".tsv": _write_tsv,
    ".parquet": _write_parquet,
    ".gff3": _write_gff,
}
