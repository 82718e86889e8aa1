"""Digests of weights files; a file in the hub's cache is read through for it only once.

The cache keeps a file under the sha256 that the hub gave for it. Whether the file has it is
checked when it is first loaded, and kept beside it with the file's size and time.
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

from bioseq.errors import CheckpointError

_BLOBS = "blobs"
_SHA256 = re.compile(r"[0-9a-f]{64}")
_CHECKED_FILE = "bioseq-checked.json"


def file_digest(path: Path) -> str:
    """Returns the sha256 of a file.

    Raises:
        CheckpointError: it lies in the hub's cache and is not what the hub has.
    """
    blob = path.resolve()
    if blob.parent.name != _BLOBS or not _SHA256.fullmatch(blob.name):
        return _hash(blob)
    if not _is_checked(blob):
        found = _hash(blob)
        if found != blob.name:
            problem = f"not the file that the hub has (sha256 {found[:12]}...); delete {blob}"
            raise CheckpointError(path, f"{problem} and get it again")
        _note_checked(blob)
    return blob.name


def _hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _stamp(blob: Path) -> list[int]:
    status = blob.stat()
    return [status.st_size, status.st_mtime_ns]


def _read_checked(blob: Path) -> dict[str, list[int]]:
    try:
        return dict(json.loads((blob.parent.parent / _CHECKED_FILE).read_text()))
    except (OSError, ValueError, TypeError):
        return {}


def _is_checked(blob: Path) -> bool:
    return _read_checked(blob).get(blob.name) == _stamp(blob)


def _note_checked(blob: Path) -> None:
    """Keeps that a file was checked; in a cache that can't be written to, it is checked anew."""
    checked = _read_checked(blob) | {blob.name: _stamp(blob)}
    try:
        (blob.parent.parent / _CHECKED_FILE).write_text(json.dumps(checked))
    except OSError:
        return
