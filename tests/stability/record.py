"""Records what the commands of `commands.py` produce, and compares it with an earlier record.

    python tests/stability/record.py OUT.json [--only NAME ...] [--compare OLD.json] [--keep DIR]
    python tests/stability/record.py OUT.json --read --compare OLD.json

The code that is tested is that of this checkout; PYTHONPATH=DIR:DIR/cli names another one. The
first line says which it is. One thread is used, and no GPU. With `--compare` the exit status is 1
where something differs beyond rounding; `--read` compares a record that is there and runs nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from commands import ROOT, Command, with_needs, write_inputs
from digest import Items, count_exact, differences, digest_file, digest_text, walk

Record = dict[str, dict[str, Items]]
"""By command and file; what a command says stands under its number."""

_SAID = "said"
_SHOWN = 12
_ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OMP_WAIT_POLICY": "passive",
    "POLARS_MAX_THREADS": "1",
    "CUDA_VISIBLE_DEVICES": "",
    "HF_HUB_OFFLINE": "1",
    "ONEDNN_PRIMITIVE_CACHE_CAPACITY": "16",
    "COLUMNS": "100",
    "NO_COLOR": "1",
    "TZ": "UTC",
}


class UnexpectedStatusError(Exception):
    """Commands ended with another status than they should."""


class Launcher:
    """A process that runs commands in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        beside = str(Path(sys.executable).parent)
        path = os.pathsep.join((beside, os.environ.get("PATH", "")))
        self._process = subprocess.Popen(
            [sys.executable, "-P", str(Path(__file__).with_name("launcher.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={
                "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "cli"))),
                **os.environ,
                **_ENVIRONMENT,
                "PATH": path,
                "HF_HOME": str(folder / "no-hub"),
            },
        )
        assert self._process.stdout is not None
        self.package = self._process.stdout.readline().strip()

    def run(self, arguments: list[str], out: Path, err: Path) -> int:
        """Runs one line of a command; gives its exit status."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        order = {
            "folder": str(self._folder),
            "arguments": arguments,
            "out": str(out),
            "err": str(err),
        }
        stdin.write(json.dumps(order) + "\n")
        stdin.flush()
        return int(stdout.readline())

    def close(self) -> None:
        """Ends the process."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait()


def record(names: list[str], folder: Path, report: Callable[[str], None]) -> Record:
    """Runs the named commands (all without a name) and gives the items of all that they produce.

    Args:
        names: Of commands; those that they need are run and recorded, too.
        folder: An empty folder to work in.
        report: Takes a line for each command.
    """
    write_inputs(folder / "IN")
    launcher = Launcher(folder)
    report(f"tested: {launcher.package}")
    found: Record = {}
    problems = []
    try:
        for command in with_needs(names):
            begun = time.monotonic()
            try:
                found[command.name] = _record_command(command, folder, launcher)
            except UnexpectedStatusError as error:
                problems.append(str(error))
            report(f"{command.name}: {time.monotonic() - begun:.1f} s")
    finally:
        launcher.close()
    if problems:
        raise UnexpectedStatusError("\n".join(problems))
    return found


def _record_command(command: Command, folder: Path, launcher: Launcher) -> dict[str, Items]:
    said: dict[str, Items] = {}
    home = folder / command.name
    home.mkdir()
    for number, (line, status) in enumerate(zip(command.lines, command.expected, strict=True), 1):
        out, err = (folder / "said" / f"{command.name}-{number}.{x}" for x in ("out", "err"))
        arguments = line.replace("@", command.name).split()
        ended = launcher.run(arguments, out, err)
        if ended != status:
            problem = f"bioseq {' '.join(arguments)}: status {ended}, expected {status}\n"
            raise UnexpectedStatusError(problem + out.read_text() + err.read_text())
        if not command.says:
            continue
        said[f"{_SAID} {number}"] = {
            "status": str(ended),
            **digest_text(out.read_text(), "out"),
            **digest_text(err.read_text(), "err"),
        }
    paths = [path.relative_to(home) for path in walk(home)]
    beside = [
        Path("..", path.relative_to(folder)) for x in command.folders for path in walk(folder / x)
    ]
    files = {
        path.as_posix(): digest_file(home / path, local_digests=command.local_digests)
        for path in (*paths, *beside)
    }
    return {**said, **files}


def compare(old: Record, new: Record, report: Callable[[str], None]) -> bool:
    """Reports how two records differ; tells whether they are the same but for rounding.

    Only the commands of the new record are looked at.
    """
    good = True
    commands = {command.name: command for command in with_needs([])}
    for name, files in new.items():
        before = old.get(name)
        if before is None or name not in commands:
            report(f"{name}: not in both records")
            good = False
            continue
        exact, beyond = _compare_command(before, files, commands[name])
        good = good and not beyond
        verdict = "DIFFERENT" if beyond else "within tolerance" if exact else "exact"
        report(f"{verdict:<16}  {name}" + (f"  ({len(exact)} not to the bit)" if exact else ""))
        lines = beyond or [f"{where}: rounding" for where in exact]
        for line in lines[:_SHOWN]:
            report(f"    {line}")
        if len(lines) > _SHOWN:
            report(f"    and {len(lines) - _SHOWN} more")
    return good


def _compare_command(
    old: dict[str, Items], new: dict[str, Items], command: Command
) -> tuple[list[str], list[str]]:
    """Gives the items that are not the same to the bit, and what differs beyond rounding."""
    exact: list[str] = []
    beyond: list[str] = []
    for file in sorted(old.keys() | new.keys()):
        before, after = old.get(file), new.get(file)
        if before is None or after is None:
            beyond.append(f"{file} {'is new' if before is None else 'is missing'}")
            continue
        for item in count_exact(before, after):
            exact.append(f"{file}: {item}")
            noise = bool(command.noise and re.search(command.noise, item))
            if found := differences(before.get(item), after.get(item), command.rtol, noise=noise):
                beyond.append(f"{file}: {item}: {found}")
    return exact, beyond


def write(found: Record, path: Path) -> None:
    """Writes a record, an item a line."""
    lines = ["{"]
    for number, (name, files) in enumerate(found.items()):
        lines.append(f"{',' if number else ''}{json.dumps(name)}: {{")
        for place, (file, items) in enumerate(files.items()):
            lines.append(f"{',' if place else ''}{json.dumps(file)}: {{")
            rows = [f"{json.dumps(key)}: {_compact(item)}" for key, item in items.items()]
            lines.append(",\n".join(rows) + "}")
        lines.append("}")
    path.write_text("\n".join([*lines, "}"]) + "\n")


def _compact(item: Any) -> str:
    return json.dumps(item, separators=(",", ":"))


def main() -> int:
    """Runs what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("record", type=Path, metavar="OUT.json")
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME")
    parser.add_argument("--compare", type=Path, metavar="OLD.json")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="work in this new folder, keep it")
    parser.add_argument("--read", action="store_true", help="run nothing: OUT.json is there")
    given = parser.parse_args()
    if given.read:
        found = json.loads(given.record.read_text())
    elif given.keep is not None:
        given.keep.mkdir(parents=True)
        found = record(given.only, given.keep.resolve(), _say)
    else:
        with tempfile.TemporaryDirectory() as folder:
            found = record(given.only, Path(folder).resolve(), _say)
    if not given.read:
        write(found, given.record)
    if given.compare is None:
        return 0
    return 0 if compare(json.loads(given.compare.read_text()), found, _say) else 1


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
