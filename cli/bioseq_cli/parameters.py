"""Kinds of option values that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click


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
