"""Runs commands one after the other, each in a process of its own that need not load torch anew.

The first line that it says is where the package is that it found. Every line of standard input is
a JSON object: `folder`, `arguments`, `out` and `err` (files for what the command says). The answer
is one line: its exit status. The command is the public entry point.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from pathlib import Path

import torch  # noqa: F401 - the copies inherit it

UNCAUGHT = 70


def run(folder: str, arguments: list[str], out: str, err: str) -> int:
    """Runs the command in a copy of this process; gives its exit status."""
    child = os.fork()
    if child == 0:
        status = UNCAUGHT
        try:
            os.chdir(folder)
            for path, descriptor in ((os.devnull, 0), (out, 1), (err, 2)):
                mode = os.O_RDONLY if descriptor == 0 else os.O_WRONLY | os.O_CREAT | os.O_APPEND
                os.dup2(os.open(path, mode), descriptor)
            sys.argv = ["bioseq", *arguments]
            status = _main()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _main() -> int:
    import traceback

    try:
        from bioseq_cli.main import main

        main()
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        traceback.print_exc()
        return UNCAUGHT
    return 0


def serve() -> None:
    """Answers until standard input ends."""
    found = importlib.util.find_spec("bioseq_cli")
    sys.stdout.write(f"{found.origin if found else 'no package'}\n")
    sys.stdout.flush()
    for line in sys.stdin:
        order = json.loads(line)
        for name in ("out", "err"):
            Path(order[name]).parent.mkdir(parents=True, exist_ok=True)
        sys.stdout.write(f"{run(**order)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    serve()
