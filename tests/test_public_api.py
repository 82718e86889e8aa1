from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

import bioseq

NAMES = {
    "EmbedOptions": "bioseq.embedding",
    "embed_files": "bioseq.embedding",
    "load_model": "bioseq.checkpoints",
    "open_records": "bioseq.io",
    "open_store": "bioseq.store",
}


def test_the_top_level_names_are_those_of_the_packages():
    assert sorted(bioseq.__all__) == sorted(NAMES)
    for name, home in NAMES.items():
        assert getattr(bioseq, name) is getattr(importlib.import_module(home), name)


def test_the_names_are_listed_and_others_are_missing():
    assert set(NAMES) <= set(dir(bioseq))
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = bioseq.nothing


@pytest.mark.parametrize("action", ["pass", "bioseq.open_records", "dir(bioseq)"])
def test_torch_is_not_loaded_before_it_is_needed(action):
    code = f"import sys, bioseq; {action}; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_notebook_needs_no_more_than_the_top_level(tiny_lstm, tmp_path):
    (tmp_path / "in.fasta").write_text(">a\nMKV\n")
    options = bioseq.EmbedOptions(model=tiny_lstm, pool="max")
    bioseq.embed_files(tmp_path / "in.fasta", tmp_path / "out.h5", options).close()
    with bioseq.open_store(tmp_path / "out.h5") as store:
        assert len(store["max"][0]) == 16
