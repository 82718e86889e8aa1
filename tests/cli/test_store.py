from __future__ import annotations

import json

import numpy as np
import pytest

from bioseq.embedding import EmbedOptions, embed_files
from bioseq.store import open_store


@pytest.fixture
def stores(tiny_lstm, tmp_path):
    paths = []
    for number, text in enumerate([">a x\nMKV\n>b\n1\n", ">c\nACD\n"]):
        source = tmp_path / f"{number}.fasta"
        source.write_text(text)
        paths.append(tmp_path / f"{number}.h5")
        embed_files(source, paths[-1], EmbedOptions(model=tiny_lstm)).close()
    return paths


def test_info_shows_counts_and_values(bioseq, stores):
    shown = bioseq("store", "info", stores[0])
    assert shown.status == 0
    assert "2 records, 1 distinct sequences, 1 failures" in shown.out
    assert "mean: per sequence, 16 x float32; model tiny-lstm, layer 2" in shown.out
    found = json.loads(bioseq("store", "info", stores[0], "--json").out)
    assert (found["num_records"], found["num_failures"]) == (2, 1)
    assert found["provenance"]["model"] == "tiny-lstm"


def test_failures_are_listed_by_number_id_and_reason(bioseq, stores):
    listed = bioseq("store", "failures", stores[0])
    assert listed.out == "2\tb\tsymbol '1' at position 1 is not in the protein alphabet\n"


def test_check_finds_a_flipped_byte(bioseq, stores):
    good = bioseq("store", "check", stores[1])
    assert (good.status, good.err) == (0, "")
    with open_store(stores[1]) as store:
        value = np.asarray(store["mean"][0]).tobytes()
    content = stores[1].read_bytes()
    assert content.count(value) == 1
    stores[1].write_bytes(content.replace(value, bytes([value[0] ^ 1]) + value[1:]))
    bad = bioseq("store", "check", stores[1])
    assert bad.status == 1
    assert "checksum" in bad.err


def test_merged_stores_hold_all_records(bioseq, stores, tmp_path):
    out = tmp_path / "merged.h5"
    merged = bioseq("store", "merge", *stores, "-o", out)
    assert merged.out == f"{out}: 3 records of 2 stores\n"
    again = bioseq("store", "merge", *stores, "-o", out)
    assert again.status == 1
    assert again.err.count("\n") == 1


def test_export_and_import_give_the_values_back(bioseq, stores, tmp_path):
    npz, back = tmp_path / "values.npz", tmp_path / "back.h5"
    assert bioseq("store", "export", stores[1], "-o", npz, "--layout", "npz").status == 0
    with open_store(stores[1]) as store, np.load(npz) as exported:
        assert any(np.array_equal(array, store["mean"].to_numpy()) for array in exported.values())
    keyed = tmp_path / "keyed.h5"
    assert bioseq("store", "export", stores[1], "-o", keyed, "--layout", "uniprot").status == 0
    made = bioseq("store", "import", keyed, "-o", back, "--name", "mean")
    assert made.status == 0
    with open_store(stores[1]) as store, open_store(back) as imported:
        np.testing.assert_allclose(imported["mean"].by_id("c"), store["mean"].by_id("c"), rtol=1e-3)


@pytest.mark.parametrize("command", ["info", "failures", "check"])
def test_what_is_not_a_store_is_one_line(bioseq, command, tmp_path):
    (tmp_path / "x.h5").write_text("x")
    for name in ("x.h5", "missing.h5", ""):
        shown = bioseq("store", command, tmp_path / name)
        assert shown.status == 1
        assert shown.err.count("\n") == 1
