"""Writing behind the computation: while one block is written, the next is computed."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType

from bioseq.store import Block


class BackgroundWriter:
    """Writes blocks in order, one at a time, in a thread; a context manager.

    Leaving it waits for the block at hand, also when the work was interrupted: what is computed is
    not lost.

    Args:
        write: Makes one block permanent.
    """

    def __init__(self, write: Callable[[Block], None]) -> None:
        self._write = write
        self._thread = ThreadPoolExecutor(max_workers=1)
        self._pending: Future[None] | None = None

    def put(self, block: Block) -> None:
        """Hands over a block, once the one before is written.

        Raises:
            StoreError: the one before could not be written.
        """
        self._wait()
        self._pending = self._thread.submit(self._write, block)

    def check(self) -> None:
        """Raises the error of a write that has failed by now; does not wait."""
        if self._pending is not None and self._pending.done():
            self._wait()

    def _wait(self) -> None:
        pending, self._pending = self._pending, None
        if pending is not None:
            pending.result()

    def __enter__(self) -> BackgroundWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._thread.shutdown()
        if error is None:
            self._wait()
