"""A finished store under the name that is asked for: the same work, or something to protect."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import h5py

from bioseq.errors import StoreError
from bioseq.files import remove_orphans
from bioseq.store.attributes import read_attribute
from bioseq.store.columns import open_readable
from bioseq.store.fingerprint import differences, settings_of
from bioseq.store.format import FORMAT, FORMAT_VERSION
from bioseq.store.part import PartSummary

SIGNATURE = b"\x89HDF\r\n\x1a\n"


def finished_summary(path: Path, settings: Mapping[str, object]) -> PartSummary | None:
    """Describes the finished store at `path` as if it were a single part; None if there is none.

    Raises:
        StoreError: Something else has that name, or a store with other settings.
    """
    if not path.exists():
        return None
    with open_readable(path) as file:
        check_header(file, path)
        found = differences(settings_of(read_attribute(file, "fingerprint", str)), settings)
        if not found:
            return PartSummary.of_file(file, path)
    listed = "; ".join(f"{k} was {a!r}, now {b!r}" for k, (a, b) in found.items())
    problem = f"exists, made with other settings ({listed}); choose another name or --overwrite"
    raise StoreError(path, problem)


def check_header(file: h5py.File, path: Path) -> None:
    """Checks that a file is a complete store of a version this package reads.

    Raises:
        StoreError: It is not.
    """
    if file.attrs.get("format") != FORMAT:
        raise StoreError(path, "is an HDF5 file but not a bioseq store; import it first")
    version = read_attribute(file, "format_version", int)
    if not 1 <= version <= FORMAT_VERSION:
        problem = f"has format version {version}; update bioseq, which reads 1 to {FORMAT_VERSION}"
        raise StoreError(path, problem)
    if not file.attrs.get("complete", False):
        raise StoreError(path, "is not complete; repeat the command that makes it")
    if "part" in file.attrs:
        raise StoreError(path, "is a part of unfinished work; repeat the command that makes it")


def prepare_output(path: Path, *, overwrite: bool) -> None:
    """Makes the folder of an output file that is written in one go, and protects what is there.

    Raises:
        StoreError: The file exists and must not be replaced.
    """
    if path.exists() and not overwrite:
        raise StoreError(path, "exists; choose another name or --overwrite")
    if path.is_dir():
        raise StoreError(path, "is a folder; choose another name")
    path.parent.mkdir(parents=True, exist_ok=True)
    remove_orphans(path.parent, path.name)


def remove_store(path: Path) -> None:
    """Removes a file that may be overwritten: an HDF5 file, nothing else.

    Raises:
        StoreError: The name belongs to something that bioseq did not write.
    """
    if path.exists() and (path.is_dir() or _first_bytes(path) != SIGNATURE):
        raise StoreError(path, "is not an HDF5 file and is not overwritten; choose another name")
    path.unlink(missing_ok=True)


def _first_bytes(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(len(SIGNATURE))
