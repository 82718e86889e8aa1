"""Predictions in the files that other programs read: FASTA strings, tables, GFF3."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import polars as pl

from bioseq.errors import OptionError, StoreError
from bioseq.files import replacing
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
    """Gives a row per record: id, length, every target, and the reason of a failure.

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
    """Gives the columns of one target; see `prediction_table`."""
    if not (view.is_per_residue or view.is_per_pair):
        return _per_sequence(name, view)
    texts: list[str | None] = [None] * len(view)
    for record in view.records.tolist():
        texts[record] = _text(name, view, np.asarray(view[record]))
    return [pl.Series(name, texts, pl.String)]


def _text(name: str, view: Embedding, value: np.ndarray) -> str:
    is_value = _kind(view) == "value"
    if view.is_per_pair:
        return list_pairs(value, most_probable=not is_value)
    if is_value:
        return ",".join(f"{x:.4g}" for x in value[:, 0])
    return to_letters(decode(value, name), _classes(view))


def _per_sequence(name: str, view: Embedding) -> list[pl.Series]:
    values = np.full((len(view), view.dim), np.nan)
    values[view.records] = np.asarray(view.to_numpy())
    classes = _classes(view)
    if _kind(view) == "value":
        return [pl.Series(name, values[:, 0]).fill_nan(None)]
    columns = [
        pl.Series(f"{name}.{label}", values[:, i]).fill_nan(None) for i, label in enumerate(classes)
    ]
    chosen: list[str | None] = [None] * len(view)
    for record in view.records.tolist():
        chosen[record] = choose_classes(values[record], classes, _kind(view))
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
            for name, view in views.items():
                if store.rows[record] >= 0:
                    letters = to_letters(decode(np.asarray(view[record]), name), _classes(view))
                    file.write(f">{id} {name}\n{letters}\n")


def _write_gff(store: Store, path: Path) -> None:
    views = _segmented(store, "GFF3")
    with path.open("w", encoding="utf-8") as file:
        file.write("##gff-version 3\n")
        for record, id in enumerate(store.ids):
            if store.rows[record] >= 0:
                for name, view in views.items():
                    for line in _gff_lines(id, name, view, record):
                        file.write(line)


def _gff_lines(id: str, name: str, view: Embedding, record: int) -> Iterator[str]:
    seqid = quote(id, safe=_GFF_SAFE.replace(" ", "").replace(">", ""))
    for segment in segments(np.asarray(view[record]), _classes(view), name):
        feature = feature_of(name, segment.label)
        if feature is not None:
            label = quote(segment.label, safe="_-. ")
            yield (
                f"{seqid}\tbioseq\t{feature}\t{segment.start + 1}\t{segment.stop}\t"
                f"{segment.score:.3f}\t.\t.\tName={name}:{label}\n"
            )


def _segmented(store: Store, format: str) -> dict[str, Embedding]:
    views = {
        name: view
        for name, view in store.predictions.items()
        if view.is_per_residue and _kind(view) == "classes"
    }
    if not views:
        allowed = f"a task with classes per residue for {format}"
        raise OptionError("predictions", ", ".join(store.predictions), allowed=allowed)
    return views


def _classes(view: Embedding) -> list[str]:
    found: Any = view.attrs["classes"]
    return list(found)


def _kind(view: Embedding) -> str:
    return str(view.attrs.get("kind", "classes"))


EXPORTS: Mapping[str, Callable[[Store, Path], None]] = {
    ".fasta": _write_fasta,
    ".csv": _write_csv,
    ".tsv": _write_tsv,
    ".parquet": _write_parquet,
    ".gff3": _write_gff,
}
