"""The settings of an evaluation: one TOML file with a `[[trials]]` for each test set."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bioseq.errors import OptionError
from bioseq.labels.columns import LabelColumn
from bioseq.settings import check_range, load_toml, read_table


@dataclass(frozen=True, kw_only=True)
class Trial(LabelColumn):
    """A predictor on a test set.

    Attributes:
        name: Of the test set.
        predictor: Bundled task or predictor folder.
        target: What of the predictor is judged.
        table: CSV, TSV or Parquet file of the test set, relative to the settings file.
        where: A column and its value, with `=` between: the rows to test on; empty for all.
        training: Table that the baselines are fitted on; the same columns, and `split`, of which
            `train` is read. Empty for no baselines.
        baseline_sequences: Training sequences that the baselines read at most.
        alignments: Column with the alignment of each sequence, a file relative to the table, from
            which is predicted then (see `predict_alignments`); empty for none.
        published: Figures of others, each as `method: figure (source)`.
    """

    name: str
    predictor: str
    target: str
    table: str
    where: str = ""
    training: str = ""
    baseline_sequences: int = 2000
    alignments: str = ""
    published: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        check_range("where", self.where, not self.where or "=" in self.where, "column=value")


def load_trials(path: Path) -> list[Trial]:
    """Reads a settings file.

    Raises:
        InputError: it can't be read.
        FormatError: it is not TOML.
        OptionError: a field is unknown, missing, or has a value that is not allowed.
    """
    tables = load_toml(path)
    trials = tables.get("trials")
    if set(tables) != {"trials"} or not isinstance(trials, list):
        raise OptionError("tables", sorted(tables), allowed="one [[trials]] for each test set")
    return [read_table("trials", Trial, trial) for trial in trials]
