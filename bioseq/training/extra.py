"""Lightning belongs to the extra `train`: only what fits a model asks for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bioseq.errors import MissingDependencyError


@contextmanager
def naming_extra() -> Iterator[None]:
    """Around an import: names the extra where Lightning is not installed.

    Raises:
        MissingDependencyError: `lightning` is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "lightning":
            raise
        raise MissingDependencyError("lightning", extra="train") from None
