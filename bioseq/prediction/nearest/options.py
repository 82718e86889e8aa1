"""The options of a transfer of labels from the nearest sequences."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bioseq.errors import OptionError
from bioseq.options import InputOptions
from bioseq.typing import AnyPath

Metric = Literal["euclidean", "cosine"]
LabelKind = Literal["classes", "value"]


@dataclass(frozen=True, kw_only=True)
class NearestOptions(InputOptions):
    """Whose labels are transferred, and how; also all of `InputOptions`.

    Attributes:
        store: Embedded sequences, the reference. It says with which model and options the queries
            are embedded.
        labels: CSV, TSV or Parquet file with labels of the reference's records.
        column: Of the labels; a record without a row or with an empty cell is not in the reference.
        id: Column of the records' ids.
        where: `COLUMN=VALUE`, to use only such rows of the table; empty for all.
        kind: Whether labels are names of `classes` or a `value`; None: a value where all of them
            are numbers.
        embedding: Which of the store's; None: the only one with a vector per sequence.
        neighbours: How many count.
        metric: Distance between vectors; `cosine` is one minus the cosine.
        model: Where the reference's model is; None: under the name that the store has.
        device: `auto`, `cpu`, `cuda`, `cuda:1`, `mps`.
        tokens_per_batch: Tokens at a time; None: from the machine's memory. Changes no result.

    Raises:
        OptionError: a value is not allowed.
    """

    store: AnyPath
    labels: AnyPath
    column: str
    id: str = "id"
    where: str = ""
    kind: LabelKind | None = None
    embedding: str | None = None
    neighbours: int = 5
    metric: Metric = "euclidean"
    model: AnyPath | None = None
    device: str = "auto"
    tokens_per_batch: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.where and "=" not in self.where:
            raise OptionError("where", self.where, allowed="COLUMN=VALUE")
