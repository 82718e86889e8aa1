"""Kinds of option values that several commands share."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import fields
from inspect import getdoc
from typing import Any, get_type_hints

import click

from bioseq.options import LEAST, Options, choices_of


class CommaList(click.ParamType):
    """Several values in one, separated by commas.

    Args:
        kind: Makes a value of its text.
        name: What a value is called in messages.
    """

    def __init__(self, kind: Callable[[str], Any], name: str) -> None:
        self.kind = kind
        self.name = f"{name},..."

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> list[Any]:
        """Splits and converts."""
        if isinstance(value, list):
            return value
        try:
            return [self.kind(part.strip()) for part in str(value).split(",")]
        except ValueError as error:
            self.fail(f"{value!r}: {error}", param, ctx)


def options_of(kind: type[Options], *names: str) -> tuple[Callable[..., Any], ...]:
    """Builds command-line options from fields of an options class and their documentation.

    Type, choices, smallest value and default are those of the field. What its text says of None
    becomes the default that the help shows.

    Args:
        kind: The options class.
        names: Its fields; all unless given.
    """
    texts, hints = _field_texts(kind), get_type_hints(kind)
    return tuple(
        _build_option(field.name, field.default, hints[field.name], texts[field.name])
        for field in fields(kind)
        if not names or field.name in names
    )


def _build_option(name: str, default: Any, hint: Any, text: str) -> Callable[..., Any]:
    text, _, unset = text.partition("; None: ")
    unset, _, more = unset.partition(". ")
    text = text.rstrip(".") + (f"; {more[0].lower()}{more[1:]}" if more else ".")
    shown = f"{text}  [default: {unset.rstrip('.')}]" if unset else text
    return click.option(
        f"--{name.replace('_', '-')}",
        type=_option_type(name, hint),
        default=default,
        show_default=default is not None,
        help=shown.replace("`", ""),
    )


def _option_type(name: str, hint: Any) -> Any:
    choices = [choice for choice in choices_of(hint) if choice is not None]
    if choices:
        return click.Choice(choices)
    if name in LEAST:
        return click.IntRange(min=LEAST[name])
    return int if hint is int else str


def _field_texts(kind: type[Options]) -> dict[str, str]:
    """Returns what the docstring of an options class says of each field."""
    _, _, attributes = (getdoc(kind) or "").partition("Attributes:\n")
    entries = re.findall(r"^    (\w+): (.+(?:\n {8}.+)*)", attributes, re.MULTILINE)
    return {name: " ".join(text.split()) for name, text in entries}
