"""Facts of the source that keep one name for one thing, and one place for one default."""

import ast
import importlib
import pkgutil
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import bioseq
from bioseq.options import Options

_ROOT = Path(bioseq.__file__).parent


def _classes() -> Iterator[tuple[str, str]]:
    for path in sorted(_ROOT.rglob("*.py")):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                yield node.name, str(path.relative_to(_ROOT))


def _options(base: type = Options) -> Iterator[type]:
    for kind in base.__subclasses__():
        yield kind
        yield from _options(kind)


def test_no_public_class_name_is_defined_twice() -> None:
    homes = defaultdict(set)
    for name, home in _classes():
        homes[name].add(home)
    assert {name: found for name, found in homes.items() if len(found) > 1} == {}


def test_a_shared_option_is_stated_in_one_class_only() -> None:
    for package in ("embedding", "prediction"):
        found = pkgutil.walk_packages([str(_ROOT / package)], f"bioseq.{package}.")
        for module in found:
            if module.name.endswith(".options"):
                importlib.import_module(module.name)
    shared = {
        field.name: base
        for base in Options.__subclasses__()
        if base.__module__ == "bioseq.options"
        for field in fields(base)
    }
    for kind in _options():
        for name, base in shared.items():
            if issubclass(kind, base) and kind is not base:
                assert name not in vars(kind).get("__annotations__", {}), f"{kind.__name__}.{name}"
