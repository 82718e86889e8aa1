"""Attributes of files and groups, as plain Python values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TypeVar

import h5py
import numpy as np

from bioseq.errors import StoreError
from bioseq.store.format import JSON_ATTRIBUTES

Kind = TypeVar("Kind", str, int, bool)


def write_attributes(node: h5py.Group, attributes: Mapping[str, object]) -> None:
    """Writes attributes; lists and objects become JSON text."""
    for name, value in attributes.items():
        compound = isinstance(value, list | tuple | dict)
        node.attrs[name] = json.dumps(value, ensure_ascii=False) if compound else value


def read_attributes(node: h5py.Group) -> dict[str, object]:
    """Reads all attributes; those that hold JSON text are parsed."""
    plain = {name: _plain(value) for name, value in node.attrs.items()}
    for name in JSON_ATTRIBUTES:
        if isinstance(text := plain.get(name), str):
            plain[name] = json.loads(text)
    return plain


def read_attribute(node: h5py.Group, name: str, kind: type[Kind]) -> Kind:
    """Reads one attribute that has to be of a kind.

    Raises:
        StoreError: It is missing or of another type.
    """
    value = _plain(node.attrs.get(name))
    if not isinstance(value, kind):
        problem = f"attribute {name!r} of {node.name} is {value!r}, not {kind.__name__}"
        raise StoreError(node.file.filename, problem)
    return value


def _plain(value: object) -> object:
    if isinstance(value, np.generic):
        return value.item()
    return value.decode() if isinstance(value, bytes) else value
