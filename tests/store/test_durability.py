"""Killed at any instant, the same command goes on and ends with the same content."""

from __future__ import annotations

import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from bioseq.errors import FingerprintError, StoreError
from bioseq.store import UnfinishedWork, check_store, content_digest, open_store

SEED, COUNT, SIZE = 3, 40, 9


def digest_of(path: Path) -> str:
    assert check_store(path) == []
    with open_store(path) as store:
        return content_digest(store)


def interrupted(worker: ModuleType, path: Path, num_blocks: int) -> UnfinishedWork:
    """Leaves work with some blocks done."""
    work = UnfinishedWork.open_or_create(
        path, worker.SETTINGS, {"size": SIZE}, attributes=worker.ATTRIBUTES
    )
    for block in list(worker.blocks_of(worker.records_of(SEED, COUNT), SIZE))[:num_blocks]:
        work.write(block)
    return work


@pytest.fixture(scope="module")
def expected(worker: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("whole") / "out.h5"
    return digest_of(worker.run(path, worker.records_of(SEED, COUNT), SIZE))


STEPS = [0, 1, 2, 5, 17, 18, 19, 20, 21, 60, 95, 105, 110, 115, 117, 118, 119, 120, 121, 122]


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_a_step_that_touches_the_disk_the_work_goes_on(
    worker: ModuleType,
    start_worker: Callable[..., subprocess.Popen],
    expected: str,
    tmp_path: Path,
    step: int,
) -> None:
    path = tmp_path / "out.h5"
    process = start_worker(path, SEED, COUNT, SIZE, step)
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    worker.run(path, worker.records_of(SEED, COUNT), SIZE)
    assert digest_of(path) == expected
    assert [entry.name for entry in tmp_path.iterdir()] == ["out.h5"]


def test_killed_at_random_instants_the_work_ends_with_the_same_content(
    worker: ModuleType, start_worker: Callable[..., subprocess.Popen], tmp_path: Path
) -> None:
    count, size = 600, 20
    whole = digest_of(worker.run(tmp_path / "whole.h5", worker.records_of(SEED, count), size))
    path = tmp_path / "out.h5"
    draw = random.Random(0)
    num_kills = 0
    for _ in range(40):
        process = start_worker(path, SEED, count, size)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(draw.uniform(0, 0.12))
        process.kill()
        process.communicate()
        num_kills += process.returncode == -signal.SIGKILL
        if process.returncode == 0 or num_kills == 6:
            break
    assert num_kills > 0
    worker.run(path, worker.records_of(SEED, count), size)
    assert digest_of(path) == whole


def test_two_processes_on_one_output_both_succeed(
    start_worker: Callable[..., subprocess.Popen], expected: str, tmp_path: Path
) -> None:
    path = tmp_path / "out.h5"
    processes = [start_worker(path, SEED, COUNT, SIZE) for _ in range(2)]
    outcomes = [(p.communicate(timeout=60)[1], p.returncode) for p in processes]
    assert [code for _, code in outcomes] == [0, 0], outcomes
    assert digest_of(path) == expected


def test_work_that_another_process_has_finished_is_accepted(
    worker: ModuleType, expected: str, tmp_path: Path
) -> None:
    path = tmp_path / "out.h5"
    records = worker.records_of(SEED, COUNT)
    ours = UnfinishedWork.open_or_create(
        path, worker.SETTINGS, {"size": SIZE}, attributes=worker.ATTRIBUTES
    )
    blocks = list(worker.blocks_of(records, SIZE))
    ours.write(blocks[0])
    worker.run(path, records, SIZE)
    ours.write(blocks[1])
    assert ours.is_finished
    assert ours.assemble({}) == path
    assert digest_of(path) == expected


def test_reading_what_is_done_survives_that_another_process_finishes(
    worker: ModuleType, tmp_path: Path
) -> None:
    path = tmp_path / "out.h5"
    records = worker.records_of(SEED, COUNT)
    ours = interrupted(worker, path, 3)
    done = ours.records()
    first = [next(done) for _ in range(SIZE)]
    worker.run(path, records, SIZE)
    assert [record.id for record in (*first, *done)] == [record.id for record in records]
    assert ours.is_finished
    assert len(ours.digests()) == ours.num_sequences


def test_a_folder_that_someone_removes_is_an_error(worker: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "out.h5"
    ours = interrupted(worker, path, 3)
    shutil.rmtree(ours.parts[0].path.parent)
    with pytest.raises(StoreError, match=r"out.h5: can't be written: No such file"):
        ours.assemble({})
    with pytest.raises(StoreError, match=r"part-000003.h5: can't be written: No such file"):
        ours.write(list(worker.blocks_of(worker.records_of(SEED, COUNT), SIZE))[3])


def test_the_stored_plan_wins_over_the_one_given(worker: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "out.h5"
    first = UnfinishedWork.open_or_create(path, worker.SETTINGS, {"size": 9})
    assert first.block_sizes == {"size": 9}
    again = UnfinishedWork.open_or_create(path, worker.SETTINGS, {"size": 4})
    assert again.block_sizes == {"size": 9}


@pytest.mark.parametrize("damage", ["truncated", "flipped", "empty", "gone", "text"])
def test_a_broken_part_is_found_and_made_anew(
    worker: ModuleType, expected: str, tmp_path: Path, damage: str
) -> None:
    path = tmp_path / "out.h5"
    part = interrupted(worker, path, 4).parts[2].path
    content = bytearray(part.read_bytes())
    if damage == "gone":
        part.unlink()
    elif damage == "flipped":
        value = worker.residues_of(worker.records_of(SEED, COUNT)[0].sequence)[0].tobytes()
        first = interrupted(worker, path, 0).parts[0].path
        content = bytearray(first.read_bytes())
        content[content.index(value)] ^= 1
        part = first
        part.write_bytes(content)
    elif damage == "text":
        content[content.index("number 20 ü".encode())] = ord("N")
        part.write_bytes(content)
    else:
        part.write_bytes(content[: len(content) // 2] if damage == "truncated" else b"")
    again = interrupted(worker, path, 0)
    assert len(again.parts) == (0 if damage == "flipped" else 2)
    worker.run(path, worker.records_of(SEED, COUNT), SIZE)
    assert digest_of(path) == expected


def test_a_part_that_breaks_before_assembly_is_an_error_not_a_result(
    worker: ModuleType, expected: str, tmp_path: Path
) -> None:
    path = tmp_path / "out.h5"
    work = interrupted(worker, path, 5)
    part = work.parts[1].path
    content = bytearray(part.read_bytes())
    content[content.index("number 10 ü".encode())] = ord("N")
    part.write_bytes(content)
    with pytest.raises(StoreError, match=r"part-000001.h5.*checksum differs"):
        work.assemble({})
    assert not path.exists()
    worker.run(path, worker.records_of(SEED, COUNT), SIZE)
    assert digest_of(path) == expected


def test_other_settings_are_refused_and_named(worker: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "out.h5"
    interrupted(worker, path, 2)
    other = worker.SETTINGS | {"layer": 4, "extra": True}
    with pytest.raises(FingerprintError, match="layer was 3, now 4") as caught:
        UnfinishedWork.open_or_create(path, other, {"size": 1})
    assert caught.value.differences == {"extra": (None, True), "layer": (3, 4)}
    work = UnfinishedWork.open_or_create(path, other, {"size": 1}, overwrite=True)
    assert (work.parts, work.block_sizes) == ([], {"size": 1})


def test_a_finished_store_is_recognised_and_protected(worker: ModuleType, tmp_path: Path) -> None:
    path = worker.run(tmp_path / "out.h5", worker.records_of(SEED, COUNT), SIZE)
    before = path.read_bytes()
    again = UnfinishedWork.open_or_create(path, worker.SETTINGS, {"size": SIZE})
    assert again.is_finished
    assert again.num_records == COUNT
    assert len(list(again.records())) == COUNT
    assert again.assemble({}) == path
    with pytest.raises(StoreError, match=r"layer was 3, now 4.*choose another name"):
        UnfinishedWork.open_or_create(path, worker.SETTINGS | {"layer": 4}, {"size": SIZE})
    assert path.read_bytes() == before
    fresh = UnfinishedWork.open_or_create(path, worker.SETTINGS, {"size": 1}, overwrite=True)
    assert (fresh.is_finished, fresh.num_records, path.exists()) == (False, 0, False)


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_file_that_is_no_store_is_never_replaced(
    worker: ModuleType, tmp_path: Path, *, overwrite: bool
) -> None:
    path = tmp_path / "proteins.fasta"
    path.write_text(">a\nACD\n")
    with pytest.raises(StoreError, match="HDF5"):
        UnfinishedWork.open_or_create(path, worker.SETTINGS, {}, overwrite=overwrite)
    assert path.read_text() == ">a\nACD\n"


def test_files_of_dead_processes_are_removed_and_of_living_ones_kept(
    worker: ModuleType, tmp_path: Path
) -> None:
    import os
    import socket

    path = tmp_path / "out.h5"
    folder = interrupted(worker, path, 1).parts[0].path.parent
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    host = socket.gethostname()
    orphan = folder / f".part-000001.h5.tmp.{host}.{dead.pid}"
    living = folder / f".part-000001.h5.tmp.{host}.{os.getppid()}"
    foreign = folder / f".part-000001.h5.tmp.elsewhere.{dead.pid}"
    for file in (orphan, living, foreign):
        file.write_bytes(b"half")
    interrupted(worker, path, 0)
    assert (orphan.exists(), living.exists(), foreign.exists()) == (False, True, True)
    worker.run(path, worker.records_of(SEED, COUNT), SIZE)
    assert [entry.name for entry in tmp_path.iterdir()] == ["out.h5"]


def test_blocks_that_do_not_fit_behind_the_parts_are_refused(
    worker: ModuleType, tmp_path: Path
) -> None:
    blocks = list(worker.blocks_of(worker.records_of(SEED, COUNT), SIZE))
    work = UnfinishedWork.open_or_create(tmp_path / "out.h5", worker.SETTINGS, {})
    with pytest.raises(StoreError, match=r"leave the range|not those records"):
        work.write(blocks[-1])
    assert work.parts == []


def test_a_full_disk_names_the_file_and_keeps_what_is_done(
    worker: ModuleType, expected: str, tmp_path: Path
) -> None:
    path = tmp_path / "out.h5"
    interrupted(worker, path, 2)
    program = (
        "import sys; sys.argv[1:] = sys.argv[2:]; import resource; "
        "from bioseq.errors import StoreError\n"
        f"sys.path.insert(0, {str(Path(__file__).parent)!r}); import worker\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (8000, resource.RLIM_INFINITY))\n"
        "try:\n    worker.main(sys.argv[1:])\n"
        "except StoreError as error:\n    print(error); sys.exit(7)\n"
    )
    arguments = ["-", str(path), str(SEED), str(COUNT), str(SIZE)]
    result = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={"PYTHONPATH": str(Path(__file__).parent.parent.parent)},
    )
    assert result.returncode == 7, result
    assert "part-000002.h5: can't be written" in result.stdout
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY
    again = interrupted(worker, path, 0)
    assert len(again.parts) == 2
    worker.run(path, worker.records_of(SEED, COUNT), SIZE)
    assert digest_of(path) == expected
