"""Laws of predictions for alignments."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bioseq.errors import OptionError, StoreError
from bioseq.prediction.tasks import TaskOptions, predict_alignments, predict_files
from bioseq.store import Store, check_store, content_digest

# Query MKVLAW; the second row lacks V and has an insertion, the third begins at L.
FAMILY = ">q first\nMKVLAW\n>a\nMR-LggAY\n>b\n---LSW\n"
BESIDE = {1: [0, 1, 3, 4, 5], 2: [3, 4, 5]}
ROWS = ("MKVLAW", "MRLAY", "LSW")


def predict(path: Path, out: Path, *tasks: Path, **more: object) -> Store:
    return predict_alignments(path, out, TaskOptions(tasks=[*tasks]), **more)  # pyright: ignore[reportArgumentType]


@pytest.fixture
def family(tmp_path: Path) -> Path:
    path = tmp_path / "family.a3m"
    path.write_text(FAMILY)
    return path


@pytest.fixture
def folders(make_predictor: Callable[..., Path], other_encoder: Path) -> list[Path]:
    return [
        make_predictor("residues"),
        make_predictor("sequences", kind="mlp", level="sequence", encoder=other_encoder),
        make_predictor("pairs", level="pair", target="value", classes=("distance",)),
    ]


def test_a_residue_has_the_mean_over_the_rows_and_all_else_is_the_querys(
    family: Path, folders: list[Path], tmp_path: Path
) -> None:
    fasta = tmp_path / "rows.fasta"
    fasta.write_text("".join(f">r{i}\n{row}\n" for i, row in enumerate(ROWS)))
    with (
        predict(family, tmp_path / "family.h5", *folders) as together,
        predict_files(fasta, tmp_path / "rows.h5", TaskOptions(tasks=folders)) as alone,
    ):
        assert together.failures.rows() == []
        assert together.ids == ["family"]
        assert together.provenance["model"] == "tasks-lstm, tasks-gru"
        assert together.provenance["max_depth"] == 64
        assert together.records["length"].to_list() == [6]
        view = alone.predictions["residues"]
        sums, counts = np.array(view[0], np.float64), np.ones((6, 1))
        for row, places in BESIDE.items():
            sums[places] += view[row]
            counts[places] += 1
        np.testing.assert_allclose(together.predictions["residues"][0], sums / counts, rtol=1e-5)
        for name in set(alone.predictions) - {"residues"}:
            ours, theirs = together.predictions[name][0], alone.predictions[name][0]
            np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)
    assert check_store(tmp_path / "family.h5") == []


def test_an_alignment_of_one_row_is_that_sequence_and_depth_one_is_the_query(
    family: Path, folders: list[Path], tmp_path: Path
) -> None:
    alone = tmp_path / "alone.a3m"
    alone.write_text(">q\nMKVLAW\n")
    with (
        predict(family, tmp_path / "first.h5", folders[0], max_depth=1) as first,
        predict(alone, tmp_path / "alone.h5", folders[0]) as single,
    ):
        np.testing.assert_array_equal(
            first.predictions["residues"][0], single.predictions["residues"][0]
        )


def test_every_alignment_has_a_prediction_or_a_reason(
    family: Path, folders: list[Path], tmp_path: Path
) -> None:
    for name, text in {"bad": ">q\nMK\n>a\nM\n", "odd": ">q\nMK?\n"}.items():
        family.with_name(f"{name}.a3m").write_text(text)
    with predict(tmp_path, tmp_path / "out.h5", folders[0]) as store:
        assert store.ids == ["bad", "family", "odd"]
        assert store.failures["id"].to_list() == ["bad", "odd"]
        assert store.predictions["residues"].records.tolist() == [1]


def test_repeated_it_is_the_same_run_and_another_alignment_is_refused(
    family: Path, folders: list[Path], tmp_path: Path
) -> None:
    out = tmp_path / "out.h5"
    with predict(family, out, folders[0]) as first:
        digest = content_digest(first)
    with predict(family, out, folders[0]) as again:
        assert content_digest(again) == digest
    family.write_text(FAMILY.replace("LSW", "LTW"))
    with pytest.raises(StoreError, match="made from other alignments"):
        predict(family, out, folders[0])


class Interruption:
    """Ends the work after some alignments, as a kill would."""

    def __init__(self, alignments: int) -> None:
        self.left = alignments

    def begin(self, **_: object) -> None:
        pass

    def advance(self, **_: object) -> None:
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt


def test_interrupted_and_repeated_it_ends_with_the_same_content(
    folders: list[Path], tmp_path: Path
) -> None:
    families = tmp_path / "families"
    families.mkdir()
    for number in range(12):
        text = FAMILY.replace("MKVLAW", "MKVLAW"[: number % 3 + 3] + "G" * (3 - number % 3))
        (families / f"{number:02}.a3m").write_text(
            text.replace("LSW", "LS" + "ACDEFGHIKLMN"[number])
        )
    out = tmp_path / "out.h5"
    with pytest.raises(KeyboardInterrupt):
        predict(families, out, *folders, progress=Interruption(9))
    assert not out.exists()
    with (
        predict(families, out, *folders) as resumed,
        predict(families, tmp_path / "whole.h5", *folders) as whole,
    ):
        assert (len(resumed), resumed.failures.rows()) == (12, [])
        assert content_digest(resumed) == content_digest(whole)


def test_what_is_not_finite_is_a_failure_also_of_pairs(
    family: Path, folders: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "bioseq.prediction.tasks.predictor.interpret", lambda _, outputs: outputs * float("nan")
    )
    with predict(family, tmp_path / "out.h5", folders[2]) as store:
        assert store.failures["id"].to_list() == ["family"]


def test_predictors_of_bases_read_no_alignments(
    family: Path, make_predictor: Callable[..., Path], dna_encoder: Path, tmp_path: Path
) -> None:
    with pytest.raises(OptionError, match="protein, as alignments are"):
        predict(family, tmp_path / "out.h5", make_predictor("bases", encoder=dna_encoder))
    with pytest.raises(OptionError, match="molecule is 'rna'"):
        predict_alignments(
            family, tmp_path / "out.h5", TaskOptions(tasks=make_predictor("task"), molecule="rna")
        )
