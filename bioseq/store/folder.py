"""The folder of parts: made in one step, taken away in one step."""

from __future__ import annotations

import json
import os
import shutil
import socket
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from bioseq.errors import FingerprintError, StoreError
from bioseq.files import remove_orphans, remove_tree, sync, temporary_name
from bioseq.store.fingerprint import differences

WORK_FILE = "work.json"


def parts_folder(path: Path) -> Path:
    """Returns the folder that holds the parts of a store."""
    return path.with_name(f"{path.name}.parts")


def discard_parts(path: Path) -> None:
    """Removes the parts of a store: out of the way in one step, then file by file."""
    discarded = path.with_name(f".{path.name}.discarded.{socket.gethostname()}.{os.getpid()}")
    with suppress(FileNotFoundError):
        parts_folder(path).rename(discarded)
    shutil.rmtree(discarded, ignore_errors=True)


def remove_leftovers(path: Path) -> None:
    """Removes what a killed process of the same output left beside it."""
    if not path.parent.is_dir():
        return
    for folder in path.parent.iterdir():
        if folder.name.startswith(f".{path.name}.discarded."):
            remove_tree(folder)
    remove_orphans(path.parent, parts_folder(path).name)


def claim_folder(
    path: Path, settings: Mapping[str, object], block_sizes: Mapping[str, int], *, overwrite: bool
) -> dict[str, int]:
    """Makes the folder unless it is there, and returns the block sizes that count."""
    folder = parts_folder(path)
    _create_folder(path, {"settings": dict(settings), "plan": dict(block_sizes)})
    stored = _read_work(folder)
    found = differences(stored["settings"], settings)
    if not found:
        return stored["plan"]
    if not overwrite:
        raise FingerprintError(folder, found)
    discard_parts(path)
    return claim_folder(path, settings, block_sizes, overwrite=False)


def _create_folder(path: Path, work: Mapping[str, object]) -> None:
    """Makes the folder with its description in one step; leaves an existing one alone."""
    folder = parts_folder(path)
    if folder.exists():
        return
    prepared = path.parent / temporary_name(folder.name)
    try:
        prepared.mkdir(parents=True, exist_ok=True)
        (prepared / WORK_FILE).write_text(json.dumps(work, ensure_ascii=False), encoding="utf-8")
        sync(prepared / WORK_FILE)
        with suppress(OSError):  # another process was first: its folder counts
            prepared.rename(folder)
        sync(path.parent)
    except OSError as error:
        raise StoreError(folder, f"can't be created: {error.strerror}") from error
    finally:
        shutil.rmtree(prepared, ignore_errors=True)


def _read_work(folder: Path) -> dict[str, dict]:
    try:
        work = json.loads((folder / WORK_FILE).read_text(encoding="utf-8"))
        return {"settings": dict(work["settings"]), "plan": dict(work["plan"])}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StoreError(
            folder, f"does not describe unfinished work ({error}); delete it and start again"
        ) from error
