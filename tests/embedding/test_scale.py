"""Inputs of unusual size; memory is compared with that of one short record."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from bioseq.io import open_records
from bioseq.store import open_store

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is not told"),
]

RUN = """
import json, pathlib, re, sys, time
from bioseq import EmbedOptions, embed_files
source, out, model, options = sys.argv[1:]
started = time.monotonic()
embed_files(source, out, EmbedOptions(model=model, **json.loads(options))).close()
# Not getrusage: its maximum begins with that of the process that started this one.
status = pathlib.Path("/proc/self/status").read_text()
peak = int(re.search(r"VmHWM:\\s+(\\d+) kB", status)[1]) / 1024
print(json.dumps({"mebibytes": peak, "seconds": time.monotonic() - started}))
"""


@dataclass(frozen=True)
class Cost:
    """What a run took."""

    mebibytes: float
    seconds: float


@pytest.fixture
def run(tmp_path):
    """Embeds in a process of its own, prints what that took, and gives the open store."""
    opened = []

    def measure(source, model, **options):
        out = tmp_path / f"{len(opened)}.h5"
        arguments = [str(source), str(out), str(model), json.dumps(options)]
        done = subprocess.run(
            [sys.executable, "-c", RUN, *arguments], check=True, capture_output=True, text=True
        )
        cost = Cost(**json.loads(done.stdout))
        print(f"{source.name}: {cost.seconds:.1f} s, {cost.mebibytes:.0f} MiB")  # noqa: T201
        opened.append(open_store(out))
        return opened[-1], cost

    yield measure
    for store in opened:
        store.close()


@pytest.fixture
def floor(run, tiny_lstm, tmp_path):
    """Memory of a run over one short record, in MiB."""
    (tmp_path / "one.fasta").write_text(">a\nMKV\n")
    return run(tmp_path / "one.fasta", tiny_lstm)[1].mebibytes


def test_a_hundred_thousand_records_of_one_residue(run, floor, tiny_lstm, tmp_path):
    path = tmp_path / "ones.fasta"
    path.write_text("".join(f">r{i}\n{'ACDEFGHIKLMNPQRSTVWY'[i % 20]}\n" for i in range(100_000)))
    store, cost = run(path, tiny_lstm)
    assert (len(store), store.num_sequences, len(store.failures)) == (100_000, 20, 0)
    assert store.provenance["computed_residues"] == 20
    assert cost.mebibytes < floor + 120


def test_a_hundred_thousand_different_short_records(run, floor, tiny_lstm, tmp_path):
    rng = np.random.default_rng(0)
    letters = rng.choice(list("ACDEFGHIKLMNPQRSTVWY"), (100_000, 8))
    path = tmp_path / "short.fasta"
    path.write_text("".join(f">r{i}\n{''.join(row)}\n" for i, row in enumerate(letters)))
    store, cost = run(path, tiny_lstm)
    assert len(store) == 100_000
    assert store.provenance["computed_residues"] == 8 * store.num_sequences
    assert cost.mebibytes < floor + 150


@pytest.fixture
def titin(data_dir):
    with open_records(data_dir / "nasty" / "titin_Q8WZ42.fasta.gz") as records:
        return next(records).sequence


@pytest.mark.parametrize("copies", [1, 2])
@pytest.mark.parametrize("model", ["tiny_lstm", "tiny_transformer", "tiny_convolution"])
def test_titin_once_and_twice(model, copies, titin, run, floor, tmp_path, request):
    path = tmp_path / "titin.fasta.gz"
    path.write_bytes(gzip.compress(f">titin\n{titin * copies}\n".encode()))
    options = {"per_residue": True, "tokens_per_batch": 1024}
    store, cost = run(path, request.getfixturevalue(model), **options)
    values = store["residue"][0]
    assert len(values) == 34_350 * copies
    mean = values.mean(axis=0, dtype=np.float64)
    np.testing.assert_allclose(store["mean"][0], mean, rtol=1e-4, atol=1e-5)
    assert cost.mebibytes < floor + 40


def test_titin_streamed_equals_titin_in_one_pass(titin, run, tiny_lstm, tmp_path):
    path = tmp_path / "titin.fasta"
    path.write_text(f">titin\n{titin}\n")
    streamed, _ = run(path, tiny_lstm, tokens_per_batch=1000, pool=["mean", "max", "std", "last"])
    whole, _ = run(path, tiny_lstm, tokens_per_batch=100_000, pool=["mean", "max", "std", "last"])
    for name in streamed.names:
        np.testing.assert_allclose(streamed[name][0], whole[name][0], rtol=1e-5, atol=2e-6)


def test_a_thousand_copies_of_titin_are_computed_once(titin, run, floor, tiny_lstm, tmp_path):
    path = tmp_path / "copies.fasta"
    path.write_text("".join(f">copy{i}\n{titin}\n" for i in range(1000)))
    store, cost = run(path, tiny_lstm)
    assert (len(store), store.num_sequences) == (1000, 1)
    assert store.provenance["computed_residues"] == len(titin)
    assert cost.mebibytes < floor + 60


def test_an_empty_file(run, floor, tiny_lstm, tmp_path):
    (tmp_path / "empty.fasta").write_text("")
    store, cost = run(tmp_path / "empty.fasta", tiny_lstm)
    assert len(store) == 0
    assert cost.mebibytes < floor + 20


def test_memory_does_not_grow_with_the_number_of_records(run, tiny_lstm, tmp_path):
    rng = np.random.default_rng(0)
    peaks = []
    for count in (2_000, 20_000):
        letters = rng.choice(list("ACDEFGHIKLMNPQRSTVWY"), (count, 300))
        path = tmp_path / f"{count}.fasta"
        path.write_text("".join(f">r{i}\n{''.join(row)}\n" for i, row in enumerate(letters)))
        peaks.append(run(path, tiny_lstm, tokens_per_batch=4096)[1].mebibytes)
    assert peaks[1] < peaks[0] + 80
