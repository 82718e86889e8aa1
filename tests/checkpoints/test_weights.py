from __future__ import annotations

import json
import pickle
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from bioseq.checkpoints import load_model
from bioseq.checkpoints.weights import find_weights, open_weights, weights_digest
from bioseq.errors import CheckpointError

TENSORS = {"a": torch.arange(60.0).reshape(3, 20), "b": torch.ones(2)}


def write_safetensors(path: Path) -> Path:
    save_file(TENSORS, path)
    return path


def write_torch(path: Path) -> Path:
    torch.save(TENSORS, path)
    return path


def write_old_torch(path: Path) -> Path:
    torch.save(TENSORS, path, _use_new_zipfile_serialization=False)
    return path


def write_npz(path: Path) -> Path:
    with path.open("wb") as file:
        np.savez(file, allow_pickle=False, **{k: v.numpy() for k, v in TENSORS.items()})
    return path


WRITERS: tuple[Callable[[Path], Path], ...] = (
    write_safetensors,
    write_torch,
    write_old_torch,
    write_npz,
)


def read_all(path: Path) -> None:
    with open_weights(path) as weights:
        for name in weights.names:
            weights.read(name)


def problem_of(path: Path) -> str:
    """Reads all tensors of a file that must fail; gives the message, which must be one line."""
    with pytest.raises(CheckpointError) as caught:
        read_all(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    return message


@pytest.mark.parametrize("write", WRITERS)
def test_the_content_tells_the_format_whatever_the_name(
    write: Callable[[Path], Path], tmp_path: Path
) -> None:
    with open_weights(write(tmp_path / "weights.bin")) as weights:
        assert weights.names == TENSORS.keys()
        for name, tensor in TENSORS.items():
            assert torch.equal(weights.read(name), tensor)


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize("kept", [0.2, 0.6, 0.95])
def test_a_file_cut_short_says_so(
    write: Callable[[Path], Path], kept: float, tmp_path: Path
) -> None:
    path = write(tmp_path / "weights")
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * kept)])
    message = problem_of(path)
    assert "cut short" in message or "damaged" in message
    assert "get it again" in message


class Trap:
    """Makes the pickle that holds it create a file when it is opened."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.path,))


@pytest.mark.parametrize("is_zip", [True, False])
def test_pickled_code_does_not_run(is_zip: bool, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    torch.save(
        {"model": TENSORS, "args": Trap(mark)},
        tmp_path / "weights.pt",
        _use_new_zipfile_serialization=is_zip,
    )
    assert "more than tensors and plain data; not opened" in problem_of(tmp_path / "weights.pt")
    assert not mark.exists()


def test_a_bare_pickle_does_not_run(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    path = tmp_path / "weights.pkl"
    path.write_bytes(pickle.dumps({"w": Trap(mark)}))
    problem_of(path)
    assert not mark.exists()
    pickle.loads(path.read_bytes())  # the trap itself works
    assert mark.exists()


def test_settings_as_fair_esm_stores_them_are_read(tmp_path: Path) -> None:
    path = tmp_path / "esm.pt"
    torch.save({"args": Namespace(arch="roberta_large"), "model": TENSORS}, path)
    with open_weights(path) as weights:
        assert weights.names == TENSORS.keys()
        assert weights.metadata["args"].arch == "roberta_large"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "empty; get it again"),
        (b"<!DOCTYPE html><html>404</html>", "a web page, not weights"),
        (b"<html><body>Sign in</body></html>", "a web page, not weights"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", r"git lfs pull"),
        (b">sp|P12345\nMKTAYIAK\n" * 40, "damaged or not safetensors"),
        (b"PK\x03\x04 and then nothing", "cut short"),
    ],
)
def test_what_is_not_weights_is_told(content: bytes, problem: str, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    assert problem in problem_of(path)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ({"epoch": 3}, "holds no tensors"),
        ([torch.ones(1)], "holds a list, not named tensors"),
        (torch.ones(1), "holds a Tensor, not named tensors"),
    ],
)
def test_a_torch_file_without_named_tensors_is_told(
    content: object, problem: str, tmp_path: Path
) -> None:
    torch.save(content, tmp_path / "w.pt")
    assert problem in problem_of(tmp_path / "w.pt")


def test_an_npz_of_python_objects_is_refused(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    np.savez(tmp_path / "w.npz", a=np.array([Trap(mark)], dtype=object))
    assert "no array of numbers" in problem_of(tmp_path / "w.npz")
    assert not mark.exists()


def test_missing_files_and_folders_are_told(tmp_path: Path) -> None:
    assert "no such file" in problem_of(tmp_path / "missing.pt")
    assert "can't be read" in problem_of(tmp_path)


def test_two_files_with_the_same_tensor_are_refused(tmp_path: Path) -> None:
    first = write_safetensors(tmp_path / "1.safetensors")
    second = write_torch(tmp_path / "2.bin")
    with (
        pytest.raises(CheckpointError, match=r"2\.bin: holds .*1\.safetensors"),
        open_weights(first, second),
    ):
        pass


def write_shards(folder: Path) -> Path:
    names = {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}
    for tensor, shard in names.items():
        save_file({tensor: TENSORS[tensor]}, folder / shard)
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"metadata": {}, "weight_map": names}))
    return index


def test_shards_are_opened_together(tmp_path: Path) -> None:
    write_shards(tmp_path)
    files = find_weights(tmp_path)
    assert len(files) == 2
    with open_weights(*files) as weights:
        assert all(torch.equal(weights.read(name), TENSORS[name]) for name in TENSORS)
    assert weights_digest(files) != weights_digest(files[:1])


def test_a_missing_shard_is_named(tmp_path: Path) -> None:
    write_shards(tmp_path)
    (tmp_path / "model-00002-of-00002.safetensors").unlink()
    with pytest.raises(CheckpointError, match=r"1 of 2 shards are not there, first model-00002"):
        find_weights(tmp_path)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"weight_map": []}'])
def test_a_damaged_list_of_shards_is_named(content: str, tmp_path: Path) -> None:
    write_shards(tmp_path).write_text(content)
    with pytest.raises(CheckpointError, match=r"index\.json: not a list of shards"):
        find_weights(tmp_path)


def test_a_file_of_no_known_family_is_answered_with_the_families(tmp_path: Path) -> None:
    path = write_torch(tmp_path / "other.pt")
    with pytest.raises(CheckpointError, match=r"none of the families.*ESM-2 \(fair-esm\)"):
        load_model(path)
