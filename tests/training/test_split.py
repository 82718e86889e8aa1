"""Splits: every record in one part, families together, problems named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioseq.errors import InputError
from bioseq.training import TrainingSettings
from bioseq.training.split import deal_clusters, load_split

Draw = Callable[..., str]
Make = Callable[..., TrainingSettings]


@given(
    sizes=st.lists(st.integers(1, 30), min_size=1, max_size=200),
    held_out=st.floats(0.01, 0.5),
    seed=st.integers(0, 50),
)
def test_clusters_are_dealt_whole_and_within_the_share(
    sizes: list[int], held_out: float, seed: int
) -> None:
    clusters = np.repeat(np.arange(len(sizes)), sizes)
    parts = deal_clusters(clusters, held_out, seed)
    for name in np.unique(clusters):
        assert len(set(parts[clusters == name])) == 1
    share = held_out * len(clusters)
    assert (parts == "valid").sum() <= share / 2
    assert (parts != "train").sum() <= share
    assert np.array_equal(parts, deal_clusters(clusters, held_out, seed))


def test_one_large_family_leaves_room_for_held_out_sequences() -> None:
    clusters = np.array([0] * 900 + list(range(1, 101)))
    for seed in range(20):
        parts = deal_clusters(clusters, 0.02, seed)
        assert (parts[:900] == "train").all()
        assert ((parts == "valid").sum(), (parts == "test").sum()) == (10, 10)


def test_a_cluster_split_keeps_families_together_and_leaks_nothing(
    tmp_path: Path, draw_sequence: Draw, mutate: Draw, make_settings: Make
) -> None:
    families = [draw_sequence(150) for _ in range(60)]
    with (tmp_path / "corpus.fasta").open("w") as file:
        for number, family in enumerate(families):
            for _ in range(2):
                file.write(f">family{number}\n{mutate(family, 0.8)}\n")
    settings = make_settings(data={"split": "cluster", "held_out": 0.2})
    split = load_split(settings, tmp_path / "split.tsv")
    assert len(split.train) + len(split.valid) + len(split.test) == 120
    assert (len(split.valid), len(split.test)) == (12, 12)
    assert split.leaks == 0
    table = pl.read_csv(tmp_path / "split.tsv", separator="\t")
    assert table["record"].to_list() == list(range(1, 121))
    assert table.group_by("id").agg(pl.col("part").n_unique())["part"].to_list() == [1] * 60


def test_leaks_of_a_given_split_are_counted(
    tmp_path: Path, draw_sequence: Draw, mutate: Draw, make_settings: Make
) -> None:
    family, other = draw_sequence(200), draw_sequence(200)
    (tmp_path / "corpus.fasta").write_text(
        f">a train\n{family}\n>b valid\n{mutate(family, 0.6)}\n>c test\n{other}\n"
    )
    split = load_split(make_settings(), tmp_path / "split.tsv")
    assert split.leaks == 1
    assert split.train.sequence(0) == family


def test_a_split_is_read_back_as_it_was_written(
    tmp_path: Path, write_corpus: Callable[..., Path], make_settings: Make
) -> None:
    write_corpus()
    table = tmp_path / "split.tsv"
    settings = make_settings(data={"split": "cluster", "held_out": 0.3})
    first = load_split(settings, table)
    written = table.read_text()
    lines = written.splitlines(keepends=True)
    swapped = [line.replace("\ttest\t", "\tvalid\t") for line in lines[:-1]] + lines[-1:]
    again = load_split(settings, table)
    assert again.test.text.tobytes() == first.test.text.tobytes()
    assert table.read_text() == written
    table.write_text("".join(swapped))
    assert len(load_split(settings, table).valid) != len(first.valid), "the table decides"
    table.write_text("".join(lines[:-1]))
    with pytest.raises(InputError, match="39 records where the sequences have 40"):
        load_split(settings, table)


@pytest.mark.parametrize(
    ("fasta", "message"),
    [
        (
            ">a train\nMK?\n>b valid\nMKV\n>c test\n\n>d test\nM\n",
            "2 of 4 records can't be trained on: record 1 'a': symbol '\\?' at position 3 is not "
            "in the protein alphabet; record 3 'c': no sequence; correct",
        ),
        (">x train\n1\n" * 5, "record 3 'x': symbol .*; and 2 more; correct"),
        (">a train\nMK\n>b validation\nMK\n", "record 2 'b' ends in 'validation'; expected train"),
        (">a train\nMK\n>b\nMK\n", "record 2 'b' ends in ''"),
        (">a train\nMK\n>b train\nMK\n>c test\nMK\n", "no sequence in the valid part"),
    ],
)
def test_what_can_not_be_trained_on_is_named(
    tmp_path: Path, make_settings: Make, fasta: str, message: str
) -> None:
    (tmp_path / "corpus.fasta").write_text(fasta)
    with pytest.raises(InputError, match=message):
        load_split(make_settings(), tmp_path / "split.tsv")
    assert not (tmp_path / "split.tsv").exists()
