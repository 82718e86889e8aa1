"""What a file holds, in few numbers that tell whether another run made the same.

An item of a file is one of two things. Of *identity* type are names, texts, integers, shapes and
number formats: two runs agree in them or they differ. Floating-point numbers have an exact digest
and a few numbers that rounding hardly moves: how many there are, how many of them are not finite,
mean, root mean square, and the sum with fixed random signs, divided by the root of their number.
Texts are taken apart: what has a decimal point is a floating-point number, all else is identity.
"""

from __future__ import annotations

import csv
import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np

VOLATILE_ATTRIBUTES = {"created", "bioseq_version", "provenance", "crc32"}
"""Of HDF5 objects. A checksum says nothing beside the digest; `store check` compares it."""

VOLATILE_KEYS = {
    *("created", "seconds", "bytes", "path", "folder", "bioseq_version", "provenance"),
    *("device", "threads", "torch", "machine", "host", "versions", "wall_seconds"),
}
"""Of JSON objects, at any depth."""

VOLATILE_TEXT = (
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?([+-]\d\d:\d\d|Z)?"), "<time>"),
    (re.compile(r"\b\d[\d.,]* (s|min|h|ms|minutes|seconds)\b"), "<duration>"),
    (re.compile(r"\bseconds +\d[\d.,]*"), "seconds <duration>"),
    (re.compile(r"\bbioseq, version \S+"), "bioseq, version <version>"),
    (re.compile(r"\b\d[\d.,]* (residues|tokens|bases|sequences|alignments|records)/s"), "<rate>"),
    (re.compile(r"\b\d[\d.,]* [KMG]iB"), "<size>"),
    (re.compile(r"largest difference \S+,"), "largest difference <rounding>,"),
    (re.compile(r"(?<![\w.<])/(?:[\w.+@-]+/)+[\w.+@-]*"), "<path>"),
)
"""In what commands say and in text files."""

LOCAL_DIGEST = re.compile(r"sha256$|[@.]version$|\.predictors\.")
"""Items that are digests of numbers; where those are of this machine, they are exact content."""

SKIPPED = (".ckpt", ".svg", ".log", ".tfevents", ".lock")
"""Files whose content is for the run itself or for the eye; that they are there is recorded."""

TEXT = (".csv", ".tsv", ".fasta", ".gff3", ".json", ".md", ".pdb", ".cif", ".txt", ".toml")

_NUMBER = re.compile(
    r"[-+]?\d+\.\d+(?:[eE][-+]?\d+)?|(?<![\w.])[-+]?(?:\d+[eE][-+]?\d+|nan|inf|NaN)(?![\w.])"
)
_LONGEST = 48

FIELDS = ("exact", "type", "nan", "inf", "mean", "rms", "dot")
"""Of numbers. What has an exact digest alone is a list of one."""

Numbers = list[Any]
Item = str | Numbers
Items = dict[str, Item]


def digest_file(path: Path, *, local_digests: bool = False) -> Items:
    """Gives the items of a file.

    Args:
        path: The file.
        local_digests: Digests in it are of numbers that were computed here, and no identity.
    """
    suffix = path.suffix
    if suffix in (".h5", ".h5ad", ".hdf5"):
        return _set_apart(_hdf5(path), local_digests)
    if suffix == ".safetensors":
        return _safetensors(path)
    if suffix in (".npz", ".npy"):
        return _numpy(path)
    if suffix == ".parquet":
        return _set_apart(_parquet(path), local_digests)
    if suffix in (".csv", ".tsv"):
        return _table(path)
    if suffix == ".json":
        return _set_apart(_json("json", json.loads(path.read_text())), local_digests)
    if suffix in TEXT:
        return digest_text(path.read_text())
    if suffix == ".png":
        return {"picture": str(path.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n")}
    if suffix in SKIPPED or ".tfevents." in path.name:
        return {"present": "true"}
    return {"bytes": "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest()}


def digest_text(text: str, name: str = "text") -> Items:
    """Gives the items of a text: its words, and the floating-point numbers in it."""
    if text.startswith("{\n"):
        return _json(name, json.loads(text))
    for pattern, replacement in VOLATILE_TEXT:
        text = pattern.sub(replacement, text)
    numbers = [float(found) for found in _NUMBER.findall(text)]
    # A sign or a digit more moves the columns.
    words = re.sub(r" *# *|  +", lambda m: "#" if "#" in m[0] else " ", _NUMBER.sub("#", text))
    items: Items = {name: _identity(words)}
    if numbers:
        items[f"{name} numbers"] = describe_numbers(np.array(numbers), source=text.encode())
    return items


def describe_numbers(values: np.ndarray, *, kind: str = "", source: bytes = b"") -> Numbers:
    """Gives the exact digest of floating-point numbers, and what rounding hardly moves.

    Args:
        values: The numbers.
        kind: How they are stored; number format and shape by default.
        source: What the exact digest is of; the numbers by default.
    """
    little = np.ascontiguousarray(values, values.dtype.newbyteorder("<"))
    flat = little.astype(np.float64).ravel()
    finite = np.isfinite(flat)
    kept = np.where(finite, flat, 0.0)
    count = max(int(finite.sum()), 1)
    return [
        _sha(source or little.tobytes()),
        f"{kind or values.dtype.name}{list(values.shape)}",
        int(np.isnan(flat).sum()),
        int(np.isinf(flat).sum()),
        _short(kept.sum() / count),
        _short(np.sqrt((kept**2).sum() / count)),
        _short((kept * _signs(len(kept))).sum() / np.sqrt(count)),
    ]


def differences(old: Item | None, new: Item | None, rtol: float, *, noise: bool = False) -> str:
    """Tells how two items differ beyond rounding; empty if they do not.

    Args:
        old: An item.
        new: The item of that name in another record.
        rtol: How far mean and sum may be off, of the root mean square.
        noise: Numbers are compared in shape alone.
    """
    if old is None or new is None:
        return "is new" if old is None else "is missing"
    if isinstance(old, str) or isinstance(new, str):
        return "" if old == new else f"{old} became {new}"
    if len(old) != len(new):
        return f"{old} became {new}"
    for name, before, after in zip(FIELDS[1:4], old[1:4], new[1:4], strict=False):
        if before != after:
            return f"{name}: {before} became {after}"
    if noise or len(old) == 1:
        return ""
    scale = max(1e-3, old[5], new[5])
    for name, before, after in zip(FIELDS[4:], old[4:], new[4:], strict=False):
        if not abs(before - after) <= rtol * scale:
            return f"{name}: {before} became {after}, allowed {rtol * scale:.1e}"
    return ""


def _hdf5(path: Path) -> Items:
    items: Items = {}
    with h5py.File(path) as file:
        settings = file.attrs.get("fingerprint")
        for key, value in _attributes(file).items():
            items.update(_attribute(f"/@{key}", value))

        def visit(name: str, found: h5py.Group | h5py.Dataset) -> None:
            attributes = _attributes(found)
            if settings is not None and attributes.get("fingerprint") == settings:
                attributes["fingerprint"] = "that of /"
            items.update(_join(name, attributes))
            if isinstance(found, h5py.Dataset):
                filters = "" if found.chunks is None else f" {found.chunks} {found.compression}"
                items.update(_array(name, found[()], f"{found.dtype}{filters}"))
            elif not len(found):
                items[f"{name}/"] = "empty"

        file.visititems(visit)
    return items


def _attributes(found: h5py.Group | h5py.Dataset) -> dict[str, Any]:
    read = {key: found.attrs[key] for key in sorted(found.attrs) if key not in VOLATILE_ATTRIBUTES}
    return {key: x.decode() if isinstance(x, bytes) else x for key, x in read.items()}


def _join(name: str, attributes: dict[str, Any]) -> Items:
    """Gives the attributes in one item, but for those that may differ by rounding."""
    items: Items = {}
    words = []
    for key, value in attributes.items():
        found = _attribute(f"{name}@{key}", value)
        if all(isinstance(x, str) and not LOCAL_DIGEST.search(k) for k, x in found.items()):
            words += [f"{k.removeprefix(name)}={x}" for k, x in found.items()]
        else:
            items.update(found)
    return {f"{name}@": _identity(", ".join(words)), **items} if words else items


def _attribute(name: str, value: Any) -> Items:
    if isinstance(value, str):
        if value.startswith("{"):
            return _json(name, json.loads(value), source=value)
        return {name: _identity(value)}
    return _array(name, value, str(np.asarray(value).dtype))


def _array(name: str, value: Any, kind: str = "") -> Items:
    array = np.asarray(value)
    if array.dtype.kind == "f":
        return {name: describe_numbers(array, kind=kind)}
    if array.dtype.names:
        found = [_array(f"{name}.{field}", array[field]) for field in array.dtype.names]
        return {key: item for part in found for key, item in part.items()}
    if array.dtype.kind in "OSU":
        words = [x.decode() if isinstance(x, bytes) else str(x) for x in array.ravel().tolist()]
        content = json.dumps(words)
    else:
        content = json.dumps(array.tolist())
    return {name: f"{kind or array.dtype}{list(array.shape)} {_identity(content)}"}


def _json(name: str, value: Any, source: str = "") -> Items:
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":")) == source
    items: Items = {f"{name} form": "sorted, without blanks"} if canonical else {}
    if isinstance(value, dict):
        for key in sorted(value.keys() - VOLATILE_KEYS):
            items.update(_json(f"{name}.{key}", value[key]))
        return items or {name: "{}"}
    if isinstance(value, list) and any(isinstance(part, dict) for part in value):
        for number, part in enumerate(value):
            items.update(_json(f"{name}[{number}]", part))
        return items
    return {**items, **digest_text(json.dumps(value), name)}


def _safetensors(path: Path) -> Items:
    from safetensors import safe_open

    items: Items = {}
    with safe_open(path, "numpy") as file:
        items["metadata"] = _identity(json.dumps(file.metadata(), sort_keys=True))
        for name in sorted(file.keys()):
            items.update(_array(name, file.get_tensor(name)))
    return items


def _numpy(path: Path) -> Items:
    if path.suffix == ".npy":
        return _array("array", np.load(path))
    with np.load(path) as file:
        items = [_array(name, file[name]) for name in sorted(file.files)]
    return {key: item for part in items for key, item in part.items()}


def _parquet(path: Path) -> Items:
    import polars as pl

    frame = pl.read_parquet(path)
    items: Items = {"columns": _identity(str(dict(frame.schema))), "rows": str(len(frame))}
    for column in frame.columns:
        values = frame[column]
        if values.dtype.is_float():
            items.update(_array(column, values.fill_null(float("nan")).to_numpy()))
        else:
            items.update(digest_text(json.dumps(values.to_list(), default=str), column))
    about = {k: v for k, v in pl.read_parquet_metadata(path).items() if k != "ARROW:schema"}
    for key, text in sorted(about.items()):
        items.update(_attribute(f"@{key}", text))
    return items


def _table(path: Path) -> Items:
    delimiter = "," if path.suffix == ".csv" else "\t"
    with path.open(newline="") as file:
        rows = list(csv.reader(file, delimiter=delimiter))
    items: Items = {"header": _identity(json.dumps(rows[:1])), "rows": str(len(rows))}
    width = max(map(len, rows), default=0)
    for column in range(width):
        cells = [row[column] if column < len(row) else "<none>" for row in rows]
        items.update(digest_text("\n".join(cells), f"column {column} {cells[0][:_LONGEST]}"))
    return items


def _set_apart(items: Items, local_digests: bool) -> Items:
    if not local_digests:
        return items
    return {name: _derived(name, item) for name, item in items.items()}


def _derived(name: str, item: Item) -> Item:
    if isinstance(item, str) and LOCAL_DIGEST.search(name):
        return [item]
    return item


def _identity(text: str) -> str:
    if len(text) <= _LONGEST:
        return text
    return f"{len(text)} sha256:{_sha(text.encode())}"


def _sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def _short(number: float) -> float:
    return float(f"{number:.8g}")


def _signs(count: int) -> np.ndarray:
    raw = np.random.PCG64(0).random_raw(count)
    return np.where(np.asarray(raw, np.uint64) >> np.uint64(63), 1.0, -1.0)


def walk(folder: Path) -> Iterator[Path]:
    """Gives the files of a folder, in order."""
    return iter(sorted(path for path in folder.rglob("*") if path.is_file()))


def count_exact(old: Items, new: Items) -> Iterable[str]:
    """Gives the names of items that are not the same to the last bit."""
    return [n for n in sorted(old.keys() | new.keys()) if old.get(n) != new.get(n)]
