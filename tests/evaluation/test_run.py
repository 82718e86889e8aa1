"""A whole evaluation, with baselines and the table it writes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from bioseq.errors import InputError, OptionError
from bioseq.evaluation import evaluate, load_trials
from bioseq.evaluation.report import BEGIN, END, check_report, write_report
from bioseq.evaluation.run import Row

TRIAL = """
[[trials]]
name = "toy"
predictor = "secondary-structure"
target = "secondary-structure"
table = "test.csv"
where = "set=a"
column = "ss3"
level = "residue"
kind = "classes"
classes = ["H", "E", "C"]
training = "train.csv"
published = ["someone: Q3 0.5 (somewhere)"]
"""


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    """A task that a window solves: what follows an A is H, a G is E, all else C."""
    rng = np.random.default_rng(0)
    states = {"A": "H", "G": "E"}
    sequences = ["".join(rng.choice(list("AGLKV"), 30)) for _ in range(40)]
    labels = [
        "".join(states.get(s[i - 1], "C") if i else "C" for i in range(30)) for s in sequences
    ]
    frame = pl.DataFrame({"sequence": sequences, "ss3": labels, "set": ["a", "b"] * 20})
    frame.write_csv(tmp_path / "test.csv")
    frame.with_columns(pl.lit("train").alias("split")).write_csv(tmp_path / "train.csv")
    (tmp_path / "trials.toml").write_text(TRIAL)
    return tmp_path / "trials.toml"


def test_predictor_and_baselines_stand_in_one_table(settings: Path, tmp_path: Path) -> None:
    rows = evaluate(load_trials(settings), tmp_path, lambda _: None, resamples=10)
    assert [row.method for row in rows] == [
        "bioseq secondary-structure",
        "majority",
        "one-hot window of 15, logistic regression",
        "published: someone: Q3 0.5 (somewhere)",
    ]
    assert {row.sequences for row in rows} == {20}
    _, majority, window, published = rows
    assert window.figures["accuracy"].value > 0.95 > majority.figures["accuracy"].value
    assert published.figures == {}
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nbehind\n")
    write_report(rows, page)
    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("behind\n")
    assert "old" not in text
    assert f"| majority | {majority.figures['accuracy']} |" in text


def test_a_new_page_holds_the_table_and_takes_the_next_one(tmp_path: Path) -> None:
    page = tmp_path / "new.md"
    for sequences in (3, 4):
        check_report(page)
        write_report([Row(test="t", method="m", sequences=sequences, figures={})], page)
    assert page.read_text().count("**t**") == 1
    assert "(4 sequences)" in page.read_text()


def test_a_report_in_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such folder"):
        check_report(tmp_path / "nowhere" / "figures.csv")


def test_a_page_without_a_place_for_the_table_is_refused(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("no marks\n")
    with pytest.raises(InputError, match="evaluation begins"):
        check_report(page)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (('level = "residue"', 'level = "atom"'), "level"),
        (('where = "set=a"', 'where = "all"'), "where"),
        (('column = "ss3"', 'columns = "ss3"'), "columns"),
    ],
)
def test_an_impossible_trial_is_refused(
    settings: Path, change: tuple[str, str], named: str
) -> None:
    settings.write_text(TRIAL.replace(*change))
    with pytest.raises(OptionError, match=named):
        load_trials(settings)


def test_a_test_set_of_alignments_is_judged_by_what_is_said_of_these(
    settings: Path, tmp_path: Path
) -> None:
    frame = pl.read_csv(tmp_path / "test.csv")
    for number, sequence in enumerate(frame["sequence"]):
        (tmp_path / f"{number}.a3m").write_text(f">q\n{sequence}\n>r\n{sequence[:-1]}-\n")
    aligned = frame.with_columns(alignment=pl.Series([f"{k}.a3m" for k in range(len(frame))]))
    aligned.write_csv(tmp_path / "test.csv")
    settings.write_text(TRIAL.replace('training = "train.csv"', 'alignments = "alignment"'))
    first, published = evaluate(load_trials(settings), tmp_path, lambda _: None, resamples=10)
    assert first.method == "bioseq secondary-structure, from alignments"
    assert published.method == "published: someone: Q3 0.5 (somewhere)"
    settings.write_text(TRIAL)
    alone, *_ = evaluate(load_trials(settings), tmp_path, lambda _: None, resamples=10)
    assert first.figures["accuracy"].value != alone.figures["accuracy"].value
    settings.write_text(TRIAL.replace('training = "train.csv"', 'alignments = "alignment"'))
    (tmp_path / "0.a3m").write_text(">q\nMK\n")
    with pytest.raises(InputError, match="first row has 2 residues, the table's 30"):
        evaluate(load_trials(settings), tmp_path, lambda _: None, resamples=10)
