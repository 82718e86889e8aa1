from __future__ import annotations

import gzip
import json
import os
import re
import resource
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bioseq.checkpoints import DEFAULT_MODEL
from bioseq.embedding import EmbedOptions, embed_files
from bioseq.store import content_digest, open_store

FASTA = b">a one\nMKVLA\n>b\nmkXla\n>c two\nACDEF\n"


def write(path, text=FASTA):
    path.write_bytes(text)
    return path


def many_records(count):
    rng = np.random.default_rng(0)
    letters = list("ACDEFGHIKLMNPQRSTVWY")
    lines = (f">r{i} x\n{''.join(rng.choice(letters, 30))}\n" for i in range(count))
    return "".join(lines).encode()


def assert_one_line(outcome, *words):
    assert outcome.status == 1
    assert outcome.out == ""
    assert re.fullmatch(r"bioseq: error: [^\n]+\n", outcome.err), outcome.err
    for word in words:
        assert word in outcome.err


@pytest.fixture
def source(tmp_path):
    return write(tmp_path / "in.fasta")


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out.h5"


def test_a_run_ends_with_a_summary_of_its_counts(bioseq, tiny_lstm, source, out):
    done = bioseq("embed", source, "-o", out, "--model", tiny_lstm)
    assert done.status == 0
    lines = [re.split(r"\s\s+", line.strip(), maxsplit=1) for line in done.out.splitlines()]
    summary = dict(lines)
    assert list(summary) == ["records", "residues", "computed", "failures", "values", "file"]
    assert summary["records"] == "3 (3 distinct sequences)"
    assert summary["residues"] == (
        "15 protein (4 lower-case read as upper case; 1 ambiguous; 0 tokens unknown to the model)"
    )
    assert summary["computed"].startswith("15 residues in ")
    assert summary["failures"] == "0"
    assert summary["values"] == "mean [16]"
    assert summary["file"].startswith(f"{out} (")
    assert done.err == "model tiny-lstm on cpu\n"


def test_failures_are_listed_and_change_the_status(bioseq, tiny_lstm, tmp_path, out):
    bad = b"".join(b">bad%d\nM%dK\n" % (i, i) for i in range(7))
    done = bioseq(
        "embed", write(tmp_path / "in.fasta", FASTA + bad), "-o", out, "--model", tiny_lstm
    )
    assert done.status == 3
    shown = [line for line in done.err.splitlines() if "failed:" in line]
    assert len(shown) == 5
    assert shown[0] == (
        "  failed: record 4 (bad0): symbol '0' at position 2 is not in the protein alphabet"
    )
    assert done.err.endswith(f"and 2 more: bioseq store failures {out}\n")
    listed = bioseq("store", "failures", out)
    assert listed.out.splitlines()[-1].startswith("10\tbad6\tsymbol '6'")
    # The same command again says the same.
    assert bioseq("embed", tmp_path / "in.fasta", "-o", out, "--model", tiny_lstm).status == 3


def test_standard_input_files_and_gzip_are_read_one_after_the_other(
    bioseq, tiny_lstm, tmp_path, source, out
):
    packed = write(tmp_path / "b.fasta.gz", gzip.compress(b">z\nMMM\n"))
    done = bioseq("embed", source, "-", packed, "-o", out, "--model", tiny_lstm, stdin=b">s\nKKK\n")
    assert done.status == 0
    with open_store(out) as store:
        assert store.ids == ["a", "b", "c", "s", "z"]
        run: Any = store.provenance
        assert [file["name"] for file in run["inputs"]] == ["in.fasta", "<stdin>", "b.fasta.gz"]


def test_the_options_reach_the_store(bioseq, tiny_transformer, source, out):
    done = bioseq(
        *("embed", source, "-o", out, "--model", tiny_transformer, "--pool", "none"),
        *("--per-residue", "--layers", "0,-1", "--save-as", "float16", "--window", "40"),
        *("--overlap", "7", "--precision", "bfloat16", "--tokens-per-batch", "9"),
        *("--device", "cpu", "--molecule", "protein", "--format", "fasta"),
    )
    assert done.status == 0
    with open_store(out) as store:
        assert sorted(store.names) == ["residue", "residue_layer0"]
        values = store["residue_layer0"]
        assert values.dtype == np.float16
        assert [len(value) for _, value in values] == [5, 5, 5]
        found = {name: values.attrs[name] for name in ("window", "overlap", "precision", "layer")}
        assert found == {"window": 40, "overlap": 7, "precision": "bfloat16", "layer": 0}


def test_several_poolings_go_into_one_store(bioseq, tiny_lstm, source, out):
    done = bioseq("embed", source, "-o", out, "--model", tiny_lstm, "--pool", "mean, max,std")
    assert done.status == 0
    with open_store(out) as store:
        assert sorted(store.names) == ["max", "mean", "std"]


def test_a_finished_run_says_that_it_is_done(bioseq, tiny_lstm, source, out):
    command = ("embed", source, "-o", out, "--model", tiny_lstm)
    first = bioseq(*command)
    again = bioseq(*command)
    assert again.status == 0
    assert again.err.startswith("already done")
    assert again.out == first.out


def test_a_merged_store_of_the_same_content_is_done_too(bioseq, tiny_lstm, tmp_path, out):
    first, second = write(tmp_path / "1.fasta"), write(tmp_path / "2.fasta", b">d\nWWW\n")
    for path in (first, second):
        bioseq("embed", path, "-o", path.with_suffix(".h5"), "--model", tiny_lstm)
    merged = bioseq("store", "merge", *sorted(tmp_path.glob("*.h5")), "-o", out)
    assert merged.status == 0
    done = bioseq("embed", first, second, "-o", out, "--model", tiny_lstm)
    assert done.status == 0
    assert "computed" not in done.out


def test_another_input_needs_overwrite(bioseq, tiny_lstm, tmp_path, source, out):
    other = write(tmp_path / "other.fasta", b">a one\nWWW\n")
    bioseq("embed", source, "-o", out, "--model", tiny_lstm)
    refused = bioseq("embed", other, "-o", out, "--model", tiny_lstm)
    assert_one_line(refused, "another input", "record 1", "--overwrite")
    assert bioseq("embed", other, "-o", out, "--model", tiny_lstm, "--overwrite").status == 0
    with open_store(out) as store:
        assert len(store) == 1


def test_what_is_not_a_store_is_never_overwritten(bioseq, tiny_lstm, source, tmp_path):
    thesis = write(tmp_path / "thesis.txt", b"chapter 1")
    for flags in ((), ("--overwrite",)):
        refused = bioseq("embed", source, "-o", thesis, "--model", tiny_lstm, *flags)
        assert_one_line(refused, "thesis.txt")
    assert thesis.read_bytes() == b"chapter 1"


BAD_OPTIONS = {
    "--pool median": "median",
    "--pool none": "per-residue",
    "--layers 9": "layer is 9",
    "--layers x": "--layers",
    "--device gpu7": "device is 'gpu7'",
    "--precision float8": "--precision",
    "--save-as int8": "--save-as",
    "--tokens-per-batch 0": "--tokens-per-batch",
    "--window 8": "window is 8",
    "--molecule lipid": "--molecule",
    "--molecule dna": "molecule of the input",
    "--format word": "word",
    "--model no-such-model": "no such model",
    "--color red": "--color",
}


@pytest.mark.parametrize("options", BAD_OPTIONS)
def test_a_bad_option_is_one_line(options, bioseq, tiny_lstm, source, out):
    model = () if "--model" in options else ("--model", tiny_lstm)
    done = bioseq("embed", source, "-o", out, *model, *options.split())
    assert_one_line(done, BAD_OPTIONS[options])
    assert not out.exists()
    assert not out.with_name("out.h5.parts").exists()


def test_a_missing_argument_is_one_line(bioseq, source, out):
    assert_one_line(bioseq("embed", "-o", out), "INPUT")
    assert_one_line(bioseq("embed", source), "--output")
    assert_one_line(bioseq("embde"), "embde")


BAD_INPUTS = {
    "missing": (None, "no such file"),
    "directory": (Path.mkdir, "is a directory"),
    "prose": (lambda p: write(p, b"Call me Ishmael.\n"), "Call me Ishmael"),
    "binary": (lambda p: write(p, bytes(range(256)) * 9), "not valid"),
    "cut.gz": (lambda p: write(p, gzip.compress(many_records(50))[:-30]), "truncated"),
    "dna": (lambda p: write(p, b">a\n" + b"ACGT" * 30), "molecule of the input is 'dna'"),
    "headerless": (lambda p: write(p, b"MKVL\n>a\nMKV\n"), "MKVL"),
}


@pytest.mark.parametrize("name", BAD_INPUTS)
def test_a_bad_input_is_one_line(name, bioseq, tiny_lstm, tmp_path, out):
    path, (make, word) = tmp_path / name, BAD_INPUTS[name]
    if make is not None:
        make(path)
    assert_one_line(bioseq("embed", path, "-o", out, "--model", tiny_lstm), word, name)
    assert not out.exists()


def change_config(folder, **fields):
    path = folder / "config.json"
    config = json.loads(path.read_text())
    path.write_text(json.dumps({**config, **fields}))


ODD_SIZES = {"architecture": "convolutional", "kernel": 3, "dilations": [1]}

BAD_MODELS = {
    "no config": lambda f: (f / "config.json").unlink(),
    "config is a folder": lambda f: ((f / "config.json").unlink(), (f / "config.json").mkdir()),
    "config not JSON": lambda f: write(f / "config.json", b"{"),
    "config not text": lambda f: write(f / "config.json", b"\xff\xfe"),
    "config a list": lambda f: write(f / "config.json", b"[]"),
    "other version": lambda f: change_config(f, format_version=99),
    "no encoder": lambda f: change_config(f, encoder=None),
    "odd encoder": lambda f: change_config(f, encoder={"architecture": "recurrent", "cell": "x"}),
    "odd numbers": lambda f: change_config(
        f,
        encoder={**ODD_SIZES, "vocabulary_size": -1, "dim": 0},
    ),
    "odd tokenizer": lambda f: change_config(f, tokenizer={"kind": "residue", "tokens": 5}),
    "other shapes": lambda f: change_config(
        f,
        encoder={**ODD_SIZES, "vocabulary_size": 9, "dim": 4},
    ),
    "no weights": lambda f: (f / "model.safetensors").unlink(),
    "cut weights": lambda f: os.truncate(f / "model.safetensors", 500),
    "weights a folder": lambda f: (
        (f / "model.safetensors").unlink(),
        (f / "model.safetensors").mkdir(),
    ),
}


@pytest.mark.parametrize("damage", BAD_MODELS)
def test_a_broken_model_folder_is_one_line(damage, bioseq, tiny_lstm, source, tmp_path, out):
    folder = tmp_path / "broken"
    shutil.copytree(tiny_lstm, folder)
    BAD_MODELS[damage](folder)
    assert_one_line(bioseq("embed", source, "-o", out, "--model", folder), "broken")


def test_a_file_is_no_model(bioseq, source, out):
    assert_one_line(bioseq("embed", source, "-o", out, "--model", source), "not safetensors")


def test_an_output_below_a_file_is_one_line(bioseq, tiny_lstm, source):
    done = bioseq("embed", source, "-o", source / "out.h5", "--model", tiny_lstm)
    assert_one_line(done, str(source))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission_is_one_line(bioseq, tiny_lstm, source, tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    done = bioseq("embed", source, "-o", closed / "out.h5", "--model", tiny_lstm)
    assert_one_line(done, "closed")


def test_a_folder_as_output_is_one_line(bioseq, tiny_lstm, source, tmp_path):
    assert_one_line(bioseq("embed", source, "-o", tmp_path, "--model", tiny_lstm), "folder")


def test_a_full_disk_is_one_line_and_what_was_done_is_kept(
    bioseq, tiny_lstm, tmp_path, out, monkeypatch
):
    monkeypatch.setattr("bioseq.embedding.job.BLOCK_RECORDS", 100)
    source = write(tmp_path / "in.fasta", many_records(700))
    command = ("embed", source, "-o", out, "--model", tiny_lstm)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, limits[1]))
    try:
        done = bioseq(*command)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert done.status == 1
    assert re.fullmatch(r"model .*\nbioseq: error: .*out\.h5.*: .*\n", done.err)
    assert not out.exists()
    assert len(list(tmp_path.glob("out.h5.parts/part-*.h5"))) == 7
    again = bioseq(*command)
    assert again.status == 0
    assert "going on behind 700 records" in again.err


def test_the_progress_of_a_long_run_is_plain_lines_where_there_is_no_terminal(
    bioseq, tiny_lstm, tmp_path, out, monkeypatch
):
    monkeypatch.setattr("bioseq_cli.progress.SECONDS_BETWEEN_LINES", 0.0)
    source = write(tmp_path / "in.fasta", many_records(60))
    done = bioseq("embed", source, "-o", out, "--model", tiny_lstm, "--tokens-per-batch", 300)
    first, *lines = done.err.splitlines()
    assert first == "model tiny-lstm on cpu"
    assert len(lines) >= 6
    pattern = r"[\d,]+ residues, [\d,]+ residues/s, \d+% done(, [\d,]+ s left)?"
    assert all(re.fullmatch(pattern, line) for line in lines)
    assert lines[-1].startswith("1,800 residues")
    assert "\x1b" not in done.err


def test_the_progress_on_a_terminal_is_a_bar(bioseq, tiny_lstm, source, out, monkeypatch):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    done = bioseq("embed", source, "-o", out, "--model", tiny_lstm)
    assert done.status == 0
    assert "model tiny-lstm on cpu" in done.err


def test_the_help_names_the_default_model(bioseq):
    shown = " ".join(bioseq("embed", "--help").out.split())
    assert f"[default: {DEFAULT_MODEL}]" in shown


def read_until(process, text):
    for line in process.stderr:
        if text in line:
            return
    pytest.fail(f"ended without {text!r}")


def test_a_run_killed_at_any_moment_goes_on_to_the_same_content(
    start_bioseq, tiny_lstm, tmp_path, out
):
    source = write(tmp_path / "in.fasta", many_records(240))
    wanted = content_digest(
        embed_files(source, tmp_path / "whole.h5", EmbedOptions(model=tiny_lstm))
    )
    rng, kills = np.random.default_rng(), 0
    while not out.exists():
        process = start_bioseq("embed", source, "-o", out, "--model", tiny_lstm, block_records=30)
        if kills < 3:
            read_until(process, "model tiny-lstm")
            time.sleep(rng.uniform(0, 0.4))
            process.send_signal(signal.SIGKILL)
        _, err = process.communicate(timeout=120)
        kills += process.returncode == -signal.SIGKILL
        assert process.returncode in (0, -signal.SIGKILL), err
    with open_store(out) as store:
        assert content_digest(store) == wanted
    left = [path.name for path in tmp_path.iterdir() if "discarded" not in path.name]
    assert {"out.h5", "whole.h5", "in.fasta"} <= set(left)


def test_control_c_keeps_what_is_done_and_ends_with_status_130(
    start_bioseq, bioseq, tiny_lstm, tmp_path, out
):
    source = write(tmp_path / "in.fasta", many_records(400))
    command = ("embed", source, "-o", out, "--model", tiny_lstm, "--tokens-per-batch", 10)
    process = start_bioseq(*command, block_records=30)
    read_until(process, "model tiny-lstm")
    parts = out.with_name("out.h5.parts")
    while len(list(parts.glob("part-*.h5"))) < 3:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 130, err
    assert err.strip() == "bioseq: interrupted; the same command goes on where it stopped"
    done = bioseq(*command)
    assert done.status == 0
    assert "going on behind" in done.err
