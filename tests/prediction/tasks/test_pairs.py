"""What is predicted of pairs of residues: maps, beside targets of other levels."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from bioseq.errors import OptionError
from bioseq.prediction.tasks import Target, TaskOptions, predict_files
from bioseq.prediction.tasks.exports import export_predictions
from bioseq.prediction.tasks.pairs import list_pairs
from bioseq.prediction.tasks.summary import summarise
from bioseq.shards import compute_shard, merge_shards, plan_shards, shard_path
from bioseq.store import Store, check_store, content_digest, open_store

CONTACT = Target(
    name="touch", level="pair", kind="classes", classes=("none", "contact"), separation=3
)
DISTANCE = Target(name="far", level="pair", kind="value", classes=("angstrom",), center=9.0)
PLACE = Target(name="place", level="sequence", kind="classes", classes=("in", "out"))
LENGTHS = {0: 5, 1: 20, 2: 5, 4: 1, 5: 120, 6: 2, 7: 1}


@pytest.fixture
def folder(make_predictor: Callable[..., Path]) -> Path:
    return make_predictor("helix", kind="convolution", more=(CONTACT, DISTANCE, PLACE))


@pytest.fixture
def store(folder: Path, proteins: Path, tmp_path: Path) -> Iterator[Store]:
    with predict_files(proteins, tmp_path / "out.h5", TaskOptions(tasks=folder)) as store:
        yield store


def test_every_level_has_values_of_its_own_shape(store: Store) -> None:
    found = store.predictions
    for record, length in LENGTHS.items():
        assert np.shape(found["helix"][record]) == (length, 3)
        assert np.shape(found["touch"][record]) == np.shape(found["far"][record]) == (length,) * 2
        assert np.shape(found["place"][record]) == (2,)
    assert store.failures["record"].to_list() == [3]
    assert check_store(store.path) == []
    assert found["touch"].attrs["classes"] == ["contact"]
    assert found["touch"].attrs["separation"] == 3


def test_a_map_is_symmetric_and_says_nothing_of_pairs_that_are_too_near(store: Store) -> None:
    place = np.arange(120)
    steps = np.abs(place[:, None] - place)
    for name, nearest in (("touch", 3), ("far", 1)):
        square = np.asarray(store.predictions[name][5])
        np.testing.assert_array_equal(square, square.T)
        np.testing.assert_array_equal(np.isnan(square), steps < nearest)
    inside = np.asarray(store.predictions["touch"][5])[steps >= 3]
    assert ((inside > 0) & (inside < 1)).all()


class Interruption:
    """Ends the work after some steps, as a kill would."""

    def __init__(self, steps: int) -> None:
        self.steps = steps

    def begin(self, **_: object) -> None:
        pass

    def advance(self, **_: object) -> None:
        self.steps -= 1
        if self.steps < 0:
            raise KeyboardInterrupt


def test_pairs_end_a_block_and_an_interrupted_run_goes_on_behind_it(
    folder: Path, proteins: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bioseq.prediction.tasks.job.choose_pairs_per_block", lambda *_, **__: 30)
    options, out = TaskOptions(tasks=folder), tmp_path / "out.h5"
    with pytest.raises(KeyboardInterrupt):
        predict_files(proteins, out, options, progress=Interruption(2))
    assert len(list(tmp_path.glob("out.h5.parts/part-*.h5"))) == 2
    with (
        predict_files(proteins, out, options) as resumed,
        predict_files(proteins, tmp_path / "whole.h5", options) as whole,
    ):
        assert content_digest(resumed) == content_digest(whole)


def test_shards_with_pairs_merge_to_one_run_and_pairs_count_in_their_plan(
    folder: Path, make_predictor: Callable[..., Path], proteins: Path, tmp_path: Path
) -> None:
    options = TaskOptions(tasks=str(folder), tokens_per_batch=1)
    plan = plan_shards(
        proteins, tmp_path / "plan.parquet", options, num_shards=2, flops_per_second=1e9
    )
    for shard in plan.shards:
        path = shard_path(tmp_path, shard.number)
        compute_shard(plan, shard.number, path, tokens_per_batch=1).close()
    with (
        open_store(merge_shards(plan, tmp_path, tmp_path / "merged.h5")) as merged,
        predict_files(proteins, tmp_path / "whole.h5", options) as whole,
    ):
        assert content_digest(merged) == content_digest(whole)
    rows = TaskOptions(tasks=str(make_predictor("rows", kind="convolution")))
    other = plan_shards(
        proteins, tmp_path / "rows.parquet", rows, num_shards=1, flops_per_second=1e9
    )
    pairs = sum(length**2 for length in (*LENGTHS.values(), 5))
    assert sum(shard.flops for shard in plan.shards) > other.shards[0].flops + pairs


def test_a_table_lists_as_many_of_the_most_probable_pairs_as_there_are_residues(
    store: Store, tmp_path: Path
) -> None:
    table = pl.read_csv(export_predictions(store, tmp_path / "out.tsv"), separator="\t")
    square = np.asarray(store.predictions["touch"][1])
    entries = [entry.split(":") for entry in table["touch"][1].split()]
    assert len(entries) == 20
    values = [float(value) for _, value in entries]
    assert values == sorted(values, reverse=True)
    for pair, value in entries:
        i, j = (int(number) - 1 for number in pair.split("-"))
        assert j - i >= 3
        assert float(value) == pytest.approx(square[i, j], rel=1e-3)
    listed = {entry for entry, _ in entries}
    rest = [
        square[i, j]
        for i in range(20)
        for j in range(i + 3, 20)
        if f"{i + 1}-{j + 1}" not in listed
    ]
    assert max(rest) <= min(values) + 1e-4
    assert len(table["far"][1].split()) == 190, "of values all pairs are listed"
    assert table["touch"][3] is None


def test_strings_and_segments_leave_pairs_out(store: Store, tmp_path: Path) -> None:
    text = export_predictions(store, tmp_path / "out.fasta").read_text()
    assert "helix" in text
    assert "touch" not in text
    assert "touch" not in export_predictions(store, tmp_path / "out.gff3").read_text()


def test_pairs_alone_can_not_be_strings(
    make_predictor: Callable[..., Path], proteins: Path, tmp_path: Path
) -> None:
    folder = make_predictor("touch", level="pair", classes=("none", "contact"))
    with (
        predict_files(proteins, tmp_path / "out.h5", TaskOptions(tasks=folder)) as store,
        pytest.raises(OptionError, match="classes per residue for FASTA"),
    ):
        export_predictions(store, tmp_path / "out.fasta")


def test_a_list_counts_residues_from_one_and_leaves_out_what_is_not_said() -> None:
    square = np.array([[np.nan, 0.5, 0.25], [0.5, np.nan, np.nan], [0.25, np.nan, np.nan]])
    assert list_pairs(square, most_probable=False) == "1-2:0.5 1-3:0.25"
    assert list_pairs(square[:1, :1], most_probable=True) == ""


def test_the_summary_tells_how_many_pairs_are_expected(store: Store) -> None:
    lines = summarise(store)
    squares = [np.triu(np.nan_to_num(v)) for _, v in store.predictions["touch"]]
    expected = sum(square.sum() for square in squares) / sum(map(len, squares))
    assert lines["touch"] == f"{expected:.3g} pairs per residue expected to be contact"
    assert lines["far"].startswith("angstrom 9")


@pytest.mark.parametrize(
    ("kind", "classes"), [("classes", ("a", "b", "c")), ("labels", ("contact",))]
)
def test_of_a_pair_two_classes_or_a_value_can_be_said(kind: str, classes: tuple[str, ...]) -> None:
    with pytest.raises(OptionError, match="a value, or two classes"):
        Target(name="t", level="pair", kind=kind, classes=classes)  # pyright: ignore[reportArgumentType]


def test_the_beginning_of_a_sequence_has_no_pairs_of_the_whole(
    make_predictor: Callable[..., Path],
) -> None:
    with pytest.raises(OptionError, match="first_residues"):
        make_predictor("place", level="sequence", first_residues=4, more=(CONTACT,))
