"""Brings the runs of the comparison together: a table and two figures.

    python pipelines/research/compare/summary.py results/compare

`accuracy.csv` (`accuracy.md`: for the documentation) has a row for each task, encoder and bin of
lengths: mean, lowest and highest accuracy over the finished seeds, and the cost of a training; one
is for the class that is the commonest among the test labels.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import polars as pl
from measure import JUDGED, bin_of, level_of

mpl.use("svg")
from matplotlib import pyplot

ALL = "all"
ENCODERS = ("convolution", "rnn", "lstm", "gru", "mlstm", "transformer")
COMMONEST = "commonest class"


def read_runs(folder: Path) -> pl.DataFrame:
    """Returns a row for each run and bin of lengths, and one for all lengths together."""
    rows: list[dict[str, Any]] = []
    for path in sorted(folder.glob("*/*/*/measured.json")):
        run = json.loads(path.read_text())
        bins = run.pop("bins")
        total = {key: sum(b[key] for b in bins.values()) for key in ("sequences", "rows", "right")}
        for name, counts in {ALL: total, **bins}.items():
            rows.append({**run, "length": name, **counts})
    return pl.DataFrame(rows).with_columns((pl.col("right") / pl.col("rows")).alias("accuracy"))


def read_commonest(tables: Path, task: str) -> pl.DataFrame:
    """Returns the accuracy of saying the commonest class of a task's test labels all the time."""
    tested = pl.read_parquet(tables / f"{task}.parquet").filter(pl.col("split") == "test")
    judged = JUDGED[task]
    counts: dict[str, dict[str, int]] = {}
    for sequence, label in tested.select("sequence", "label").iter_rows():
        for name in (ALL, bin_of(len(sequence))):
            counted = counts.setdefault(name, dict.fromkeys(judged, 0))
            for symbol in [label] if level_of(task) == "sequence" else label:
                if symbol in counted:
                    counted[symbol] += 1
    best = judged[int(np.argmax([counts[ALL][c] for c in judged]))]
    rows = [
        {
            "length": name,
            "rows": float(sum(found.values())),
            "mean": found[best] / sum(found.values()),
        }
        for name, found in counts.items()
    ]
    return pl.DataFrame(rows).with_columns(task=pl.lit(task), encoder=pl.lit(COMMONEST))


def summarise(runs: pl.DataFrame, tables: Path) -> pl.DataFrame:
    """Returns mean, lowest and highest accuracy over the seeds."""
    names = (*ENCODERS, COMMONEST)
    order = pl.col("encoder").replace_strict({name: i for i, name in enumerate(names)})
    accuracy = pl.col("accuracy")
    found = runs.group_by("task", "encoder", "length").agg(
        pl.len().alias("seeds"),
        accuracy.mean().alias("mean"),
        accuracy.min().alias("lowest"),
        accuracy.max().alias("highest"),
        pl.col("parameters", "steps", "sequences", "rows").first(),
        pl.col("cpu_seconds").median(),
    )
    commonest = [read_commonest(tables, task) for task in found["task"].unique().sort()]
    return pl.concat([found, *commonest], how="diagonal").sort(
        "task", order, pl.col("length").str.extract(r"(\d+)").cast(pl.Int64)
    )


def to_markdown(summary: pl.DataFrame) -> str:
    """Returns a table for each task: a row for each encoder, a column for each bin of lengths."""
    tables = []
    for (task,), rows in summary.group_by("task", maintain_order=True):
        bins = rows["length"].unique(maintain_order=True).to_list()
        lines = [
            f"**{task}**",
            "",
            "| encoder | updates | CPU seconds | seeds | " + " | ".join(bins) + " |",
            "| --- " * (len(bins) + 4) + "|",
        ]
        for (encoder,), cells in rows.group_by("encoder", maintain_order=True):
            first = cells.row(0, named=True)
            known = [first["steps"], first["cpu_seconds"], first["seeds"]]
            cost = ["" if number is None else f"{number:.0f}" for number in known]
            found = {row["length"]: _describe(row) for row in cells.iter_rows(named=True)}
            row = [str(encoder), *cost, *(found.get(name, "") for name in bins)]
            lines.append(f"| {' | '.join(row)} |")
        tables.append("\n".join(lines) + "\n")
    return "\n".join(tables)


def _describe(row: dict[str, Any]) -> str:
    if row["seeds"] is None or row["seeds"] == 1:
        return f"{row['mean']:.3f}"
    return f"{row['mean']:.3f} ({row['lowest']:.3f}-{row['highest']:.3f})"


def draw_lengths(summary: pl.DataFrame, path: Path) -> None:
    """Draws accuracy against the length of the sequence, one panel for each task."""
    tasks = summary["task"].unique(maintain_order=True).to_list()
    figure, panels = pyplot.subplots(1, len(tasks), figsize=(4 * len(tasks), 3.4), squeeze=False)
    for panel, task in zip(panels[0], tasks, strict=True):
        for number, encoder in enumerate(ENCODERS):
            rows = summary.filter(
                (pl.col("task") == task)
                & (pl.col("encoder") == encoder)
                & (pl.col("length") != ALL)
            )
            places = [place + (number - 2.5) * 0.08 for place in range(len(rows))]
            panel.errorbar(
                places, rows["mean"], yerr=_spread(rows), label=encoder, marker="o", ms=3
            )
        panel.set(title=task, xlabel="residues", ylabel="accuracy")
        panel.set_xticks(range(len(rows)), rows["length"].to_list())  # pyright: ignore[reportPossiblyUnboundVariable]
    panels[0][-1].legend(fontsize="small")
    _save(figure, path)


def draw_costs(summary: pl.DataFrame, path: Path) -> None:
    """Draws accuracy against the measured time of a training, one panel for each task."""
    tasks = summary["task"].unique(maintain_order=True).to_list()
    figure, panels = pyplot.subplots(1, len(tasks), figsize=(4 * len(tasks), 3.4), squeeze=False)
    for panel, task in zip(panels[0], tasks, strict=True):
        for encoder in ENCODERS:
            rows = summary.filter(
                (pl.col("task") == task)
                & (pl.col("encoder") == encoder)
                & (pl.col("length") == ALL)
            )
            panel.errorbar(
                rows["cpu_seconds"], rows["mean"], yerr=_spread(rows), label=encoder, marker="o"
            )
        panel.set(title=task, xlabel="seconds of one CPU core", ylabel="accuracy")
    panels[0][-1].legend(fontsize="small")
    _save(figure, path)


def _spread(rows: pl.DataFrame) -> list[list[float]]:
    below, above = rows["mean"] - rows["lowest"], rows["highest"] - rows["mean"]
    return [below.to_list(), above.to_list()]


def _save(figure: Any, path: Path) -> None:
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)


def main() -> None:
    """Writes the table and the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    summary = summarise(read_runs(folder / "runs"), folder / "tables")
    summary.write_csv(folder / "accuracy.csv", float_precision=4)
    (folder / "accuracy.md").write_text(to_markdown(summary))
    draw_lengths(summary, folder / "length.svg")
    draw_costs(summary, folder / "cost.svg")


if __name__ == "__main__":
    main()
