"""The checker: every MUST of the specification, on one file."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np

from bioseq.errors import StoreError
from bioseq.store.attributes import read_attribute, read_attributes
from bioseq.store.block import is_square
from bioseq.store.columns import dataset_at, group_at, open_readable, read_numbers, read_text, slabs
from bioseq.store.format import (
    COLUMNS,
    DIGESTS_KNOWN,
    DIGESTS_UNKNOWN,
    FORMAT,
    FORMAT_VERSION,
    GROUP_ATTRIBUTES,
    NO_ROW,
    PAIR,
    PAIR_VERSION,
    ROOT_ATTRIBUTES,
    VALUE_KINDS,
)
from bioseq.store.values import dataset_paths, value_paths
from bioseq.typing import AnyPath

REFGET = re.compile(rb"SQ\.[A-Za-z0-9_-]{32}")


def check_store(path: AnyPath) -> list[str]:
    """Checks a finished store against the specification, reading every byte.

    Returns:
        One line for each violation; empty for a good store.
    """
    path = Path(path)
    try:
        with open_readable(path) as file:
            return _problems_of(file)
    except StoreError as error:
        return [error.problem]


def _problems_of(file: h5py.File) -> list[str]:
    """Stops after the first group of rules that fails: the later ones rely on it."""
    for rules in (
        (_root_problems,),
        (_column_problems, _group_problems),
        (_damage,),
        (_row_problems, _digest_problems, _failure_problems, _offset_problems),
    ):
        found = [problem for rule in rules for problem in rule(file)]
        if found:
            return found
    return []


def _root_problems(file: h5py.File) -> Iterator[str]:
    try:
        attributes = read_attributes(file)
    except json.JSONDecodeError as error:
        yield f"a root attribute is not JSON: {error}"
        return
    for name, kind in ROOT_ATTRIBUTES.items():
        wanted = dict if name in ("fingerprint", "provenance") else kind
        if not isinstance(attributes.get(name), wanted):
            yield f"root attribute {name!r} is {attributes.get(name)!r}, not {wanted.__name__}"
    for name, allowed in (
        ("format", (FORMAT,)),
        ("format_version", range(1, FORMAT_VERSION + 1)),
        ("complete", (True,)),
        ("digests", (DIGESTS_KNOWN, DIGESTS_UNKNOWN)),
    ):
        if attributes.get(name) not in allowed:
            yield f"root attribute {name!r} is {attributes.get(name)!r}, not one of {allowed}"


def _column_problems(file: h5py.File) -> Iterator[str]:
    lengths: dict[str, int] = {}
    for column in COLUMNS:
        dataset = file.get(column.path)
        if not isinstance(dataset, h5py.Dataset):
            yield f"{column.path} is missing"
            continue
        text = h5py.check_string_dtype(dataset.dtype)
        is_text = text is not None and text.length is None and text.encoding == "utf-8"
        if is_text != column.is_text or (not is_text and dataset.dtype != column.dtype):
            yield f"{column.path} has type {dataset.dtype}, not {column.dtype}"
        if dataset.ndim != 1:
            yield f"{column.path} has {dataset.ndim} axes, not 1"
        elif lengths.setdefault(column.table, len(dataset)) != len(dataset):
            yield f"{column.path} has {len(dataset)} rows, its table {lengths[column.table]}"


def _group_problems(file: h5py.File) -> Iterator[str]:
    for path in value_paths(file):
        group = group_at(file, path)
        attributes = read_attributes(group)
        for name in GROUP_ATTRIBUTES[path.partition("/")[0]]:
            if name not in attributes:
                yield f"{path} lacks the attribute {name!r}"
        if group.attrs.get("fingerprint") != file.attrs["fingerprint"]:
            yield f"{path} has another fingerprint than the file"
        yield from _shape_problems(group, path)


def _shape_problems(group: h5py.Group, path: str) -> Iterator[str]:
    values, offsets = group.get("values"), group.get("offsets")
    if not isinstance(values, h5py.Dataset):
        yield f"{path}/values is missing"
    elif values.ndim != 2 or values.dtype.kind not in VALUE_KINDS or values.dtype.byteorder == ">":
        yield f"{path}/values is {values.dtype} {values.shape}, not [N, D] little-endian numbers"
    if offsets is not None and (
        not isinstance(offsets, h5py.Dataset) or offsets.ndim != 1 or offsets.dtype != np.int64
    ):
        yield f"{path}/offsets is not a list of int64"
    if (shape := group.attrs.get("shape", PAIR)) != PAIR:
        yield f"{path} has the shape {shape!r}, not {PAIR!r}"
    elif "shape" in group.attrs and offsets is None:
        yield f"{path} holds pairs but no offsets"
    if "shape" in group.attrs and read_attribute(group.file, "format_version", int) < PAIR_VERSION:
        yield f"{path} holds pairs, which format version {PAIR_VERSION} began with"


def _damage(file: h5py.File) -> Iterator[str]:
    for path in dataset_paths(file):
        try:
            for _ in slabs(dataset_at(file, path)):
                pass
        except StoreError as error:
            yield error.problem


def _row_problems(file: h5py.File) -> Iterator[str]:
    rows = read_numbers(file, "records/row")
    num_sequences = len(dataset_at(file, "sequences/digest"))
    if len(rows) and (rows.min() < NO_ROW or rows.max() >= num_sequences):
        yield f"records/row leaves the range -1 to {num_sequences - 1}"
        return
    used, first = np.unique(rows[rows != NO_ROW], return_index=True)
    if len(used) != num_sequences:
        yield f"{num_sequences - len(used)} sequences belong to no record"
    if (np.diff(first) < 0).any():
        yield "sequences are not in the order of their first record"


def _digest_problems(file: h5py.File) -> Iterator[str]:
    digests = read_numbers(file, "sequences/digest").tolist()
    unknown = file.attrs["digests"] == DIGESTS_UNKNOWN
    known = [digest for digest in digests if digest or not unknown]
    for row, digest in enumerate(digests):
        if not REFGET.fullmatch(digest) and (digest or not unknown):
            yield f"sequences/digest {row} is {digest!r}, not a refget digest"
    if len(set(known)) != len(known):
        yield f"{len(known) - len(set(known))} digests occur more than once"


def _failure_problems(file: h5py.File) -> Iterator[str]:
    failed = np.flatnonzero(read_numbers(file, "records/row") == NO_ROW)
    listed = read_numbers(file, "failures/record")
    if not np.array_equal(failed, listed):
        yield "failures/record does not list, in order, the records whose row is -1"
        return
    ids, names = read_text(file, "records/id"), read_text(file, "failures/id")
    if names != [ids[record] for record in listed.tolist()]:
        yield "failures/id differs from records/id"
    if not all(read_text(file, "failures/reason")):
        yield "a failure has no reason"


def _offset_problems(file: h5py.File) -> Iterator[str]:
    num_sequences = len(dataset_at(file, "sequences/digest"))
    for path in value_paths(file):
        group = group_at(file, path)
        values = dataset_at(group, "values")
        if "offsets" not in group:
            if len(values) != num_sequences:
                yield f"{path}/values has {len(values)} rows for {num_sequences} sequences"
            continue
        offsets = read_numbers(group, "offsets")
        if len(offsets) != num_sequences + 1:
            yield f"{path}/offsets has {len(offsets)} entries for {num_sequences} sequences"
        elif offsets[0] != 0 or offsets[-1] != len(values) or (np.diff(offsets) < 0).any():
            yield f"{path}/offsets does not rise from 0 to {len(values)}"
        elif "shape" in group.attrs and not all(map(is_square, np.diff(offsets).tolist())):
            yield f"{path}/offsets has steps that are not squares"
