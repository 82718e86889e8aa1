"""The identity of records: whether the ones at hand are those that were planned."""

from __future__ import annotations

import hashlib

MARK_SIZE = 16


def mark_of(id: str, description: str, digest: str) -> bytes:
    """Returns 16 bytes that stand for a record: its id, description and refget digest."""
    text = f"{id}\0{description}\0{digest}"  # no header holds NUL
    return hashlib.blake2b(text.encode(), digest_size=MARK_SIZE).digest()


def digest_of_marks(marks: bytes | bytearray | memoryview) -> str:
    """Returns the SHA-256, in hexadecimal, that stands for records in their order."""
    return hashlib.sha256(marks).hexdigest()
