"""Whole files only: write under a temporary name, sync, rename.

After a kill at any instant the final name holds the old file or the new one, never a half.
"""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


def temporary_name(name: str) -> str:
    """Returns the hidden name under which this process writes the file called `name`."""
    return f".{name}.tmp.{socket.gethostname()}.{os.getpid()}"


@contextmanager
def replacing(path: Path, *, folder: Path | None = None) -> Iterator[Path]:
    """Yields a temporary path; on success its content becomes `path`, on failure it vanishes.

    Args:
        path: The final name.
        folder: Where the temporary file lies; has to be on the same file system. Beside `path`
            unless given.
    """
    temporary = (folder or path.parent) / temporary_name(path.name)
    try:
        yield temporary
        sync(temporary)
        os.replace(temporary, path)  # noqa: PTH105, one word for one system call
        sync(path.parent)
    except BaseException:
        remove_tree(temporary)
        raise


def sync(path: Path) -> None:
    """Makes a file's content, or a folder's list of names, survive a loss of power."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_orphans(folder: Path, name: str = "") -> None:
    """Removes temporary files and folders whose process, on this host, is dead.

    Those of another host are left alone: their process may be alive.

    Args:
        folder: Where to look.
        name: Final name that they were meant for; any name unless given.
    """
    prefix, host = f".{name}", f".tmp.{socket.gethostname()}."
    for path in folder.iterdir():
        owner = path.name.rpartition(".")[2]
        ours = path.name.startswith(f"{prefix}{host}" if name else prefix) and host in path.name
        if ours and owner.isdecimal() and not _is_alive(int(owner)):
            remove_tree(path)


def remove_tree(path: Path) -> None:
    """Removes a file or a folder; what is gone already, or refuses to go, is no error."""
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink()


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
