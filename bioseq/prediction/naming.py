"""File names of records: safe on every file system, and never the same for two records."""

from __future__ import annotations

import itertools
import re

_UNSAFE = re.compile(r"[^\w.+-]")
_MOST_CHARACTERS = 120  # file systems permit 255 bytes


class FileNames:
    """Gives names, one after the other; two records of one id get different ones."""

    def __init__(self) -> None:
        self._taken = set[str]()

    def name(self, id: str) -> str:
        """Returns the name for a record, without an ending."""
        base = _UNSAFE.sub("_", id)[:_MOST_CHARACTERS].lstrip(".") or "_"
        numbered = (f"{base}-{number}" for number in itertools.count(2))
        # Some file systems take A and a for the same.
        free = (n for n in itertools.chain([base], numbered) if n.casefold() not in self._taken)
        found = next(free)
        self._taken.add(found.casefold())
        return found
