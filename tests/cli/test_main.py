from __future__ import annotations

import pytest

import bioseq as package
from bioseq.errors import InputError
from bioseq_cli import main as module


def test_the_version_is_that_of_the_package(bioseq):
    assert bioseq("--version").out == f"bioseq, version {package.__version__}\n"


@pytest.mark.parametrize("command", [(), ("embed",), ("train",), ("models",), ("store",)])
def test_every_command_explains_itself(bioseq, command):
    shown = bioseq(*command, "--help")
    assert shown.status == 0
    assert shown.out.startswith(f"Usage: bioseq {' '.join(command)}".rstrip())


def test_without_a_command_the_help_is_shown(bioseq):
    shown = bioseq()
    assert "Usage: bioseq" in shown.out + shown.err
    assert shown.status == 1


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (OSError(28, "No space left on device", "/data/x"), "/data/x: No space left on device"),
        (OSError("odd"), "odd"),
        (MemoryError("9 TiB"), "not enough memory: 9 TiB"),
        (InputError("x", "two\nlines"), "x: two lines"),
    ],
)
def test_errors_of_the_machine_are_one_line(bioseq, monkeypatch, error, line):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr(module.cli, "main", fail)
    shown = bioseq("embed")
    assert (shown.status, shown.err) == (1, f"bioseq: error: {line}\n")


def test_a_defect_is_not_dressed_up_as_a_mistake_of_the_user(bioseq, monkeypatch):
    monkeypatch.setattr(module.cli, "main", lambda **_: {}["defect"])
    with pytest.raises(KeyError):
        bioseq("embed")
