"""How a command that writes a store ends: what failed, and the exit status."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, NoReturn

import click

if TYPE_CHECKING:
    from bioseq.store import Store

EXIT_FAILURES = 3
_SHOWN_FAILURES = 5


def describe_file(store: Store) -> str:
    """Returns a store's path and size."""
    return f"{store.path} ({store.path.stat().st_size / 2**20:.1f} MiB)"


def end_with(store: Store) -> NoReturn:
    """Lists the first records without a result and ends the command: status 3 if there are any."""
    failures = store.failures
    for row in failures.head(_SHOWN_FAILURES).iter_rows(named=True):
        click.echo(f"  failed: record {row['record'] + 1} ({row['id']}): {row['reason']}", err=True)
    if len(failures) > _SHOWN_FAILURES:
        more = len(failures) - _SHOWN_FAILURES
        click.echo(f"  and {more:,} more: bioseq store failures {store.path}", err=True)
    sys.exit(EXIT_FAILURES if len(failures) else 0)
