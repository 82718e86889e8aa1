"""Which files of a model folder hold its weights, and their digest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from bioseq.checkpoints.weights.blobs import file_digest
from bioseq.errors import CheckpointError

WEIGHTS_FILE = "model.safetensors"
_CANDIDATES = (
    WEIGHTS_FILE,
    f"{WEIGHTS_FILE}.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
)
_CONTACTS_MARK = "-contact-regression"


def find_weights(path: Path) -> tuple[Path, ...]:
    """Finds the files that hold a model's weights.

    Of a folder laid out as on Hugging Face these are one file, or shards. A bare file may go on in
    another: fair-esm keeps the weights of the contact head beside those of the model.

    Raises:
        CheckpointError: there are none, the list of shards is damaged, or a shard is missing.
    """
    if path.is_dir():
        return _find_in_folder(path)
    contacts = path.with_name(f"{path.stem}{_CONTACTS_MARK}{path.suffix}")
    return (path, contacts) if contacts.exists() else (path,)


def _find_in_folder(folder: Path) -> tuple[Path, ...]:
    found = next((folder / name for name in _CANDIDATES if (folder / name).exists()), None)
    if found is None:
        problem = f"no such file, nor {', '.join(_CANDIDATES[1:])}; the model folder is incomplete"
        raise CheckpointError(folder / WEIGHTS_FILE, problem)
    return _shards(found) if found.suffix == ".json" else (found,)


def _shards(index: Path) -> tuple[Path, ...]:
    try:
        names = sorted(set(json.loads(index.read_text())["weight_map"].values()))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(index, f"not a list of shards ({error}); get it again") from None
    paths = tuple(index.parent / name for name in names)
    missing = [path.name for path in paths if not path.exists()]
    if missing:
        problem = f"{len(missing)} of {len(paths)} shards are not there, first {missing[0]}"
        raise CheckpointError(index, f"{problem}; get the model again")
    return paths


def weights_digest(paths: Sequence[Path]) -> str:
    """Returns the sha256 of a weights file; of several files, that of their digests in order.

    Raises:
        CheckpointError: a file in the hub's cache is not what the hub has.
    """
    digests = [file_digest(path) for path in paths]
    if len(digests) == 1:
        return digests[0]
    return hashlib.sha256("".join(digests).encode()).hexdigest()
