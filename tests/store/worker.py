"""A small stand-in for the real work: reads records, makes values of them, writes a store.

Tests load it as a module; as a program it is what they kill:
`worker.py OUTPUT SEED NUM_RECORDS BLOCK_SIZE [CRASH_AT]`.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import h5py
import numpy as np

from bioseq.records import Record, refget_digest
from bioseq.store import Block, Failure, Ragged, UnfinishedWork

SETTINGS: dict[str, object] = {"model": "worker", "layer": 3, "window": None}
ATTRIBUTES: dict[str, dict[str, object]] = {
    "embeddings/mean": {"model": "worker", "layer": 3, "pooling": "mean"},
    "embeddings/residue": {"model": "worker", "layer": 3, "pooling": "residue"},
    "predictions/ss3": {"model": "worker", "version": "1", "classes": ["H", "E", "C"]},
}
DIM = 5
BAD = "J"


def records_of(seed: int, count: int) -> list[Record]:
    """Makes records: some repeat a sequence, some an id, some can't be computed."""
    rng = np.random.default_rng(seed)
    pool = ["".join(rng.choice(list("ACDEFGHIKLMNPQRSTVWY"), n)) for n in rng.integers(1, 40, 50)]
    pool += [f"A{BAD}C", BAD]
    picked = rng.integers(0, len(pool), count)
    return [Record(f"id{i % 17}", f"number {i} ü", pool[p]) for i, p in enumerate(picked)]


def residues_of(sequence: str) -> np.ndarray:
    """Makes the per-residue values `[L, D]` of a sequence."""
    rng = np.random.default_rng(zlib.crc32(sequence.encode()))
    return rng.standard_normal((len(sequence), DIM)).astype(np.float32)


def block_of(records: list[Record], first_record: int, rows: dict[str, int]) -> Block:
    """Computes the next block; `rows` knows the sequences of the blocks before, and learns."""
    failures, targets, new = [], [], []
    for index, record in enumerate(records, first_record):
        digest = refget_digest(record.sequence)
        if BAD in record.sequence:
            failures.append(Failure(index, record.id, f"holds {BAD}", digest))
            targets.append(-1)
            continue
        if digest not in rows:
            rows[digest] = len(rows)
            new.append(record.sequence)
        targets.append(rows[digest])
    values = [residues_of(sequence) for sequence in new]
    lengths = [len(sequence) for sequence in new]
    packed = np.concatenate([np.empty((0, DIM), np.float32), *values])
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths, dtype=np.int64)])
    means = np.array([v.mean(axis=0) for v in values], np.float16).reshape(-1, DIM)
    return Block(
        ids=[record.id for record in records],
        descriptions=[record.description for record in records],
        rows=np.array(targets, np.int64),
        digests=[refget_digest(sequence) for sequence in new],
        lengths=np.array(lengths, np.uint32),
        failures=failures,
        values={"mean": means, "residue": Ragged(packed, offsets)},
        predictions={"ss3": Ragged(packed[:, :3].copy(), offsets)},
    )


def blocks_of(records: list[Record], size: int) -> Iterator[Block]:
    """Cuts records into blocks and computes them; an empty input is one empty block."""
    rows: dict[str, int] = {}
    for start in range(0, max(1, len(records)), size):
        yield block_of(records[start : start + size], start, rows)


def run(
    path: Path,
    records: list[Record],
    size: int,
    *,
    on_block: Callable[[], object] = lambda: None,
) -> Path:
    """Does all the work, or what is left of it, as the embedding layer does."""
    work = UnfinishedWork.open_or_create(path, SETTINGS, {"size": size}, attributes=ATTRIBUTES)
    done = [(r.id, r.description, r.digest) for r in work.records()]
    given = [(r.id, r.description, refget_digest(r.sequence)) for r in records]
    assert done == given[: len(done)], "the input has changed"
    rows = {digest.decode(): row for row, digest in enumerate(work.digests().tolist())}
    size = work.block_sizes["size"]
    for start in range(work.num_records, max(len(records), 0 if work.parts else 1), size):
        if work.is_finished:
            break
        work.write(block_of(records[start : start + size], start, rows))
        on_block()
    return work.assemble({"command": "worker"})


def crash_at(count: int) -> None:
    """Makes this process kill itself at its n-th step that touches the disk."""
    steps = iter(range(count))

    def counted(function: Callable) -> Callable:
        def step(*arguments: object, **options: object) -> object:
            if next(steps, None) is None:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*arguments, **options)

        return step

    for owner, name in (
        (os, "replace"),
        (os, "fsync"),
        (os, "unlink"),
        (shutil, "rmtree"),
        (Path, "rename"),
        (h5py.Dataset, "__setitem__"),
        (h5py.File, "close"),
    ):
        setattr(owner, name, counted(getattr(owner, name)))


def main(arguments: Iterable[str]) -> None:
    """Runs the program."""
    output, seed, count, size, *crash = arguments
    if crash:
        crash_at(int(crash[0]))
    print("ready", flush=True)  # noqa: T201, the test waits for it
    run(Path(output), records_of(int(seed), int(count)), int(size))


if __name__ == "__main__":
    main(sys.argv[1:])
