"""The folder of a training run: who it belongs to, and files that are whole or not there."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bioseq.errors import FingerprintError, InputError
from bioseq.files import replacing

SETTINGS_FILE = "settings.json"


def claim_folder(folder: Path, settings: Mapping[str, Mapping[str, Any]]) -> None:
    """Writes the settings into a run's folder, or checks that they are the ones already there.

    Args:
        folder: Made if it is not there.
        settings: Everything that changes a weight, as tables of plain data.

    Raises:
        FingerprintError: the folder holds a run with other settings.
    """
    path = folder / SETTINGS_FILE
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        write_json(path, settings)
        return
    then = json.loads(path.read_text())
    differences = {
        f"{table}.{key}": (then.get(table, {}).get(key), settings[table].get(key))
        for table in settings
        for key in sorted({*then.get(table, {}), *settings[table]})
        if then.get(table, {}).get(key) != settings[table].get(key)
    }
    if differences:
        raise FingerprintError(folder, differences)


def file_digest(path: Path) -> str:
    """Returns the sha256 of an input file.

    Raises:
        InputError: it can't be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(path, error.strerror or str(error)) from None


def write_json(path: Path, content: object) -> None:
    """Writes plain data as a whole file."""
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(content, indent=2) + "\n")
