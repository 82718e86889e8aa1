"""Opening weights: the format is told by what is in the file, not by its name."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

from bioseq.checkpoints.weights.npz import open_npz
from bioseq.checkpoints.weights.pickled import open_pickled
from bioseq.checkpoints.weights.source import Weights, join_weights
from bioseq.checkpoints.weights.tensors import open_safetensors
from bioseq.errors import CheckpointError

_ZIP_MAGIC = b"PK\x03\x04"
_PICKLE_MAGIC = b"\x80"
_HTML_MAGIC = (b"<!DOCTYP", b"<!doctyp", b"<html")
_POINTER_MAGIC = b"version "


@contextmanager
def open_weights(*paths: Path) -> Iterator[Weights]:
    """Opens a weights file, or the files that together hold the weights.

    Reads safetensors, PyTorch's own files (without running what is pickled in them) and npz.

    Args:
        paths: One or more files; no tensor may be in two of them.

    Raises:
        CheckpointError: a file is missing, damaged or of another format, or two hold the same
            tensor.
    """
    with ExitStack() as stack:
        parts = [stack.enter_context(_choose_format(path)(path)) for path in paths]
        yield join_weights(parts)


def _choose_format(path: Path) -> Callable[[Path], AbstractContextManager[Weights]]:
    head = _read_head(path)
    if head.startswith(_ZIP_MAGIC):
        return open_npz if all(name.endswith(".npy") for name in _members(path)) else open_pickled
    if head.startswith(_PICKLE_MAGIC):
        return open_pickled
    if head.startswith(_HTML_MAGIC):
        raise CheckpointError(path, "a web page, not weights; the download went wrong, repeat it")
    if head.startswith(_POINTER_MAGIC):
        raise CheckpointError(path, "a Git LFS pointer, not weights; run: git lfs pull")
    return open_safetensors


def _read_head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            head = file.read(8)
    except FileNotFoundError:
        raise CheckpointError(path, "no such file; the model is incomplete") from None
    except OSError as error:
        raise CheckpointError(path, f"can't be read: {error.strerror}") from None
    if not head:
        raise CheckpointError(path, "empty; get it again")
    return head


def _members(path: Path) -> list[str]:
    try:
        with zipfile.ZipFile(path) as archive:
            return archive.namelist()
    except zipfile.BadZipFile:
        raise CheckpointError(path, "cut short; get it again") from None
