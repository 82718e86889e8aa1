"""Settings files: TOML tables become settings objects, checked before anything is read."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from types import NoneType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from bioseq.errors import FormatError, InputError, OptionError

T = TypeVar("T")


def load_toml(path: Path) -> dict[str, Any]:
    """Reads a TOML file.

    Raises:
        InputError: it can't be read.
        FormatError: it is not TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(path, error.strerror or str(error)) from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise FormatError("TOML", path=path, found=str(error)) from None


def read_table(table: str, kind: type[T], values: Mapping[str, Any]) -> T:
    """Makes a settings object of a table, after checking names and types.

    Args:
        table: Its name, for messages.
        kind: The settings class.
        values: As read.

    Raises:
        OptionError: a field is unknown, missing, or has a value that is not allowed.
    """
    known = {field.name: field for field in fields(kind)}  # pyright: ignore[reportArgumentType]
    for name in values.keys() - known.keys():
        raise OptionError(_field(table, name), values[name], allowed=f"only {', '.join(known)}")
    for name, field in known.items():
        is_required = field.default is MISSING and field.default_factory is MISSING
        if is_required and name not in values:
            raise OptionError(_field(table, name), None, allowed="a value; it is required")
    # What may be None is so by being left out: TOML has no word for it.
    hints = {name: _stated(hint) for name, hint in get_type_hints(kind).items()}
    typed = {n: _convert(value, hints[n]) for n, value in values.items()}
    for name, value in typed.items():
        _check_type(_field(table, name), value, hints[name])
    return kind(**typed)


def _stated(hint: Any) -> Any:
    """Returns the type of a value that stands there: `int` for `int | None`."""
    choices = get_args(hint)
    return choices[0] if NoneType in choices else hint


def _convert(value: Any, hint: Any) -> Any:
    """TOML has no tuples, and writes whole numbers without a point."""
    if get_origin(hint) is tuple and isinstance(value, list):
        return tuple(value)
    return float(value) if hint is float and type(value) is int else value


def _field(table: str, name: str) -> str:
    return f"[{table}] {name}"


def _check_type(name: str, value: object, hint: Any) -> None:
    if get_origin(hint) is tuple:
        item = get_args(hint)[0]
        if not isinstance(value, tuple) or not all(type(x) is item for x in value):
            raise OptionError(name, value, allowed=f"a list of values of type {item.__name__}")
        return
    choices = get_args(hint)
    if choices and value not in choices:
        raise OptionError(name, value, allowed=choices)
    # For Python True is a number, too.
    if not choices and (not isinstance(value, hint) or isinstance(value, bool) != (hint is bool)):
        raise OptionError(name, value, allowed=f"a value of type {hint.__name__}")


def check_range(name: str, value: object, fits: bool, allowed: str) -> None:
    """Refuses a value that does not fit.

    Raises:
        OptionError: it does not.
    """
    if not fits:
        raise OptionError(name, value, allowed=allowed)
