"""The pieces of a SentencePiece vocabulary that lies beside a model's weights."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bioseq.checkpoints.snapshot import Snapshot
from bioseq.errors import CheckpointError

_TOKENIZER_FILE = "tokenizer.json"
_PIECES_FILE = "spiece.model"
_ADDED_FILE = "added_tokens.json"


def read_pieces(snapshot: Snapshot) -> dict[str, int]:
    """Reads the id of each piece from `tokenizer.json`, or else from `spiece.model`.

    Args:
        snapshot: The model's files.

    Returns:
        Ids by piece, a blank before it spelt `▁`; empty where there is neither file.

    Raises:
        CheckpointError: the file is damaged.
    """
    for name, read in ((_TOKENIZER_FILE, _read_tokenizer), (_PIECES_FILE, _read_model)):
        path = snapshot.path / name
        if path.is_file():
            try:
                return read(path)
            except (ValueError, KeyError, TypeError, IndexError) as error:
                problem = f"no vocabulary of pieces ({error}); get the model again"
                raise CheckpointError(path, problem) from None
    return {}


def _read_tokenizer(path: Path) -> dict[str, int]:
    content = json.loads(path.read_text(encoding="utf-8"))
    vocabulary: Any = content["model"]["vocab"]
    if not isinstance(vocabulary, Mapping):  # pieces with their scores, in the order of the ids
        vocabulary = {piece: number for number, (piece, _) in enumerate(vocabulary)}
    added = {token["content"]: token["id"] for token in content.get("added_tokens", ())}
    return {**vocabulary, **added}


def _read_model(path: Path) -> dict[str, int]:
    """Reads field 1, the pieces, of which field 1 is the text; the rest is scores and training."""
    pieces = [
        text.decode()
        for number, piece in _fields(path.read_bytes())
        if number == 1
        for inner, text in _fields(piece)
        if inner == 1
    ]
    added = path.with_name(_ADDED_FILE)
    more = json.loads(added.read_text(encoding="utf-8")) if added.is_file() else {}
    return {piece: number for number, piece in enumerate(pieces)} | more


def _fields(message: bytes) -> Iterator[tuple[int, bytes]]:
    """Yields number and bytes of a protocol buffer's fields; no bytes for a small number."""
    place = 0
    while place < len(message):
        key, place = _read_varint(message, place)
        size = 0
        match key & 7:  # the kind of content
            case 0:
                _, place = _read_varint(message, place)
            case 1:
                size = 8
            case 2:
                size, place = _read_varint(message, place)
            case 5:
                size = 4
            case kind:
                problem = f"field of kind {kind}"
                raise ValueError(problem)
        if place + size > len(message):
            problem = "cut short"
            raise ValueError(problem)
        yield key >> 3, message[place : place + size]
        place += size


def _read_varint(message: bytes, place: int) -> tuple[int, int]:
    """Returns a number of seven bits a byte, lowest first, and the place behind it."""
    value = shift = 0
    while True:
        byte = message[place]
        value |= (byte & 0x7F) << shift
        place, shift = place + 1, shift + 7
        if byte < 0x80:
            return value, place
