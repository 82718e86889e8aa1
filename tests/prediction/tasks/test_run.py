"""Laws of a prediction run."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bioseq.errors import CheckpointError, OptionError
from bioseq.prediction.tasks import TaskOptions, load_predictor, predict_files
from bioseq.store import Store, check_store, content_digest

SHAPES = [
    {"kind": "convolution"},
    {"kind": "bilstm"},
    {"kind": "mlp", "target": "value", "classes": ("x",)},
    {"kind": "light-attention", "level": "sequence"},
    {"kind": "linear", "level": "sequence", "target": "labels"},
    {"kind": "light-attention", "level": "sequence", "first_residues": 4},
    {"kind": "convolution", "level": "pair", "classes": ("none", "contact")},
    {"kind": "bilstm", "level": "pair", "target": "value", "classes": ("distance",)},
]


def predict(proteins: Path, out: Path, *tasks: Path, **options: object) -> Store:
    return predict_files(
        proteins,
        out,
        TaskOptions(tasks=[*tasks], **options),  # pyright: ignore[reportArgumentType]
    )


@pytest.mark.parametrize("shape", SHAPES)
def test_the_batch_size_and_streaming_change_no_prediction(
    shape: dict[str, object], make_predictor: Callable[..., Path], proteins: Path, tmp_path: Path
) -> None:
    folder = make_predictor("task", **shape)
    with (
        predict(proteins, tmp_path / "a.h5", folder) as whole,
        predict(proteins, tmp_path / "b.h5", folder, tokens_per_batch=9) as streamed,
    ):
        for name, view in whole.predictions.items():
            other = streamed.predictions[name]
            for record in view.records.tolist():
                np.testing.assert_allclose(view[record], other[record], rtol=1e-5, atol=1e-6)


def test_every_record_has_a_prediction_or_a_reason(
    make_predictor: Callable[..., Path], proteins: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.h5"
    with predict(proteins, out, make_predictor("task")) as store:
        view = store.predictions["task"]
        assert store.ids == [f"p{i}" for i in range(8)]
        assert store.failures["record"].to_list() == [3]
        assert "position 3" in store.failures["reason"][0]
        assert [len(view[r]) for r in view.records.tolist()] == [5, 20, 5, 1, 120, 2, 1]
        assert view.attrs["classes"] == ["H", "E", "C"]
        assert view.attrs["version"] == "7"
    assert check_store(out) == []


def test_classes_add_up_to_one_and_members_are_averaged(
    make_predictor: Callable[..., Path], proteins: Path, tmp_path: Path
) -> None:
    with predict(proteins, tmp_path / "out.h5", make_predictor("task")) as store:
        values = np.concatenate([v for _, v in store.predictions["task"]])
    np.testing.assert_allclose(values.sum(axis=1), 1, rtol=1e-5)
    assert (values > 0).all()


def test_several_tasks_in_one_run_give_what_each_gives_alone(
    make_predictor: Callable[..., Path], other_encoder: Path, proteins: Path, tmp_path: Path
) -> None:
    folders = [
        make_predictor("residues"),
        make_predictor("others", kind="bilstm", encoder=other_encoder),
        make_predictor("beginning", kind="mlp", level="sequence", first_residues=3),
    ]
    with predict(proteins, tmp_path / "all.h5", *folders) as together:
        assert together.provenance["model"] == "tasks-lstm, tasks-gru"
        models = [together.predictions[folder.name].attrs["model"] for folder in folders]
        assert models == ["tasks-lstm", "tasks-gru", "tasks-lstm"]
        for folder in folders:
            with predict(proteins, tmp_path / f"{folder.name}.h5", folder) as alone:
                for name, view in alone.predictions.items():
                    np.testing.assert_array_equal(
                        np.concatenate([np.atleast_2d(v) for _, v in view]),
                        np.concatenate([np.atleast_2d(v) for _, v in together.predictions[name]]),
                    )


def test_what_lies_behind_the_first_residues_changes_nothing(
    make_predictor: Callable[..., Path], tmp_path: Path
) -> None:
    folder = make_predictor("task", kind="light-attention", level="sequence", first_residues=5)
    path = tmp_path / "in.fasta"
    path.write_text(">a\nMKVLAGGGGG\n>b\nMKVLAWWW\n>c\nMKVLW\n")
    with predict(path, tmp_path / "out.h5", folder) as store:
        a, b, c = (store.predictions["task"][i] for i in range(3))
    np.testing.assert_array_equal(a, b)
    assert not np.allclose(a, c, rtol=1e-4)


def test_a_predictor_may_hold_its_encoder_which_is_named_after_the_task(
    make_predictor: Callable[..., Path], encoder_folder: Path, proteins: Path, tmp_path: Path
) -> None:
    folder = make_predictor("task", encoder=encoder_folder)
    with predict(proteins, tmp_path / "elsewhere.h5", folder) as store:
        elsewhere = np.concatenate([v for _, v in store.predictions["task"]])
    shutil.copytree(encoder_folder, folder / "encoder")
    config = json.loads((folder / "config.json").read_text())
    config["encoder"]["model"] = "encoder"
    (folder / "config.json").write_text(json.dumps(config))
    moved = folder.rename(tmp_path / "moved")
    with predict(proteins, tmp_path / "own.h5", moved) as store:
        view = store.predictions["task"]
        assert view.attrs["model"] == store.provenance["model"] == "task/encoder"
        np.testing.assert_array_equal(np.concatenate([v for _, v in view]), elsewhere)


def test_tasks_whose_encoders_read_other_tokens_are_refused_together(
    make_predictor: Callable[..., Path], dna_encoder: Path, proteins: Path, tmp_path: Path
) -> None:
    folders = [make_predictor("one"), make_predictor("two", encoder=dna_encoder)]
    with pytest.raises(OptionError, match="same tokens and windows; two and one do not"):
        predict(proteins, tmp_path / "out.h5", *folders)


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


def test_interrupted_and_repeated_it_ends_with_the_same_content(
    make_predictor: Callable[..., Path],
    other_encoder: Path,
    proteins: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bioseq.prediction.tasks.job.BLOCK_RECORDS", 2)
    folders = [make_predictor("task"), make_predictor("other", encoder=other_encoder)]
    options = TaskOptions(tasks=folders)
    out = tmp_path / "out.h5"
    with pytest.raises(KeyboardInterrupt):
        predict_files(proteins, out, options, progress=Interruption(4))
    assert not out.exists()
    with (
        predict_files(proteins, out, options) as resumed,
        predict_files(proteins, tmp_path / "whole.h5", options) as whole,
    ):
        assert content_digest(resumed) == content_digest(whole)


def test_an_empty_file_gives_an_empty_store(
    make_predictor: Callable[..., Path], tmp_path: Path
) -> None:
    empty = tmp_path / "empty.fasta"
    empty.write_text("")
    with predict(empty, tmp_path / "out.h5", make_predictor("task")) as store:
        assert len(store) == 0
        assert store.predictions["task"].dim == 3


def test_another_encoder_than_in_training_is_refused(
    make_predictor: Callable[..., Path], proteins: Path, tmp_path: Path
) -> None:
    folder = make_predictor("task", sha256="0" * 64)
    with pytest.raises(CheckpointError, match="trained with other weights"):
        predict(proteins, tmp_path / "out.h5", folder)


def test_a_task_that_does_not_exist_is_refused(proteins: Path, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no such predictor"):
        predict_files(proteins, tmp_path / "out.h5", TaskOptions(tasks="telepathy"))


def test_a_task_twice_is_refused(
    make_predictor: Callable[..., Path], proteins: Path, tmp_path: Path
) -> None:
    folder = make_predictor("task")
    with pytest.raises(OptionError, match="each task once"):
        predict(proteins, tmp_path / "out.h5", folder, folder)


def test_a_damaged_predictor_is_refused_in_one_line(make_predictor: Callable[..., Path]) -> None:
    folder = make_predictor("task")
    config = folder / "config.json"
    config.write_text(config.read_text().replace('"members": 2', '"members": 3'))
    with pytest.raises(CheckpointError, match="missing"):
        load_predictor(folder)
