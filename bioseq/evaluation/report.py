"""The table of an evaluation as a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from bioseq.errors import InputError, OptionError
from bioseq.evaluation.run import Row
from bioseq.files import replacing

BEGIN, END = "<!-- evaluation begins -->", "<!-- evaluation ends -->"


def check_report(path: Path) -> None:
    """Refuses a file that `write_report` can't write, before anything is computed.

    Raises:
        InputError: there is no such folder, or a page lacks the marks or can't be read.
        OptionError: the suffix is not known.
    """
    if not path.parent.is_dir():
        raise InputError(path, "there is no such folder")
    if path.suffix == ".md":
        _split_page(path)
    elif path.suffix != ".csv":
        raise OptionError("suffix of the report", path.suffix, allowed=(".csv", ".md"))


def write_report(rows: Sequence[Row], path: Path) -> None:
    """Writes rows as CSV, or as Markdown: between the marks of a page that is there, or a new page.

    Raises:
        InputError: a page lacks the marks, or can't be read.
    """
    if path.suffix == ".csv":
        with replacing(path) as temporary:
            to_frame(rows).write_csv(temporary)
        return
    before, behind = _split_page(path)
    with replacing(path) as temporary:
        temporary.write_text(f"{before}{BEGIN}\n\n{to_markdown(rows)}\n{END}{behind}")


def to_frame(rows: Sequence[Row]) -> pl.DataFrame:
    """Returns one row per figure: test, method, sequences, metric, value, low, high."""
    return pl.DataFrame(
        [
            {
                "test": row.test,
                "method": row.method,
                "sequences": row.sequences,
                "metric": metric,
                "value": figure.value,
                "low": figure.low,
                "high": figure.high,
            }
            for row in rows
            for metric, figure in row.figures.items()
        ]
    )


def to_markdown(rows: Sequence[Row]) -> str:
    """Returns a table for each test set, published figures as lines of their own."""
    tables = []
    for test in dict.fromkeys(row.test for row in rows):
        mine = [row for row in rows if row.test == test]
        names = list(mine[0].figures)
        lines = [
            f"**{test}** ({mine[0].sequences:,} sequences)",
            "",
            f"| method | {' | '.join(names)} |",
            "| --- " * (len(names) + 1) + "|",
        ]
        for row in mine:
            cells = [str(row.figures[name]) if row.figures else "" for name in names]
            lines.append(f"| {row.method} | {' | '.join(cells)} |")
        tables.append("\n".join(lines) + "\n")
    return "\n".join(tables)


def _split_page(path: Path) -> tuple[str, str]:
    try:
        text = path.read_text()
    except FileNotFoundError:
        return "", "\n"
    except OSError as error:
        raise InputError(path, error.strerror or str(error)) from None
    before, begin, rest = text.partition(BEGIN)
    _, end, behind = rest.partition(END)
    if not begin or not end:
        problem = f"has no place for the table, which is between {BEGIN} and {END}"
        raise InputError(path, problem)
    return before, behind
