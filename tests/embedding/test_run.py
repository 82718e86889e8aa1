"""What a run gives: every record, whatever the rest, in a store that says how it was made."""

from __future__ import annotations

import gzip
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bioseq.embedding import EmbedOptions, embed_files
from bioseq.errors import OptionError
from bioseq.records import refget_digest
from bioseq.runs import cut_blocks
from bioseq.store import check_store, content_digest
from tests.embedding.inputs import EVERYTHING, Told, fasta, random_records, write

WORD = st.text(
    st.characters(codec="utf-8", exclude_categories=("C", "Z"), exclude_characters="\x85>;#!"),
    min_size=1,
    max_size=12,
)


IDS = st.one_of(WORD, st.sampled_from(["dup", "sp|P1|X_Y", "a/b", "../x", "é蛋", "x" * 10_000]))


SEQUENCES = st.text("ACDEFGmkv", max_size=40) | st.sampled_from(["MKV", "mkv", "M1V", "MÄV", "A"])


RECORDS = st.lists(
    st.tuples(IDS, st.just("") | st.lists(WORD, min_size=1).map(" ".join), SEQUENCES), max_size=12
)


def values_by_record(store):
    return [
        {} if row == -1 else {name: store[name][record] for name in store.names}
        for record, row in enumerate(store.rows.tolist())
    ]


def is_computable(sequence):
    return bool(sequence) and set(sequence) <= set("ACDEFGHIKLMNPQRSTVWYacdefghiklmnpqrstvwy")


@settings(max_examples=8)
@given(records=RECORDS, data=st.data())
def test_every_record_is_in_the_store_as_given_and_does_not_depend_on_the_rest(
    records, data, tiny_lstm, tmp_path_factory
):
    """Files, blocks, batches, duplicates and order change nothing."""
    folder = tmp_path_factory.mktemp("run")
    cut = data.draw(st.integers(0, len(records)))
    paths = [write(folder / "a.fasta", records[:cut]), write(folder / "b.fasta", records[cut:])]
    options = {"model": tiny_lstm, "tokens_per_batch": data.draw(st.sampled_from([1, 20, 10**6]))}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bioseq.embedding.job.BLOCK_RECORDS", data.draw(st.integers(1, 5)))
        store = embed_files(paths, folder / "all.h5", EmbedOptions(**options, **EVERYTHING))
    assert check_store(store.path) == []
    table = store.records
    assert table["id"].to_list() == [i for i, _, _ in records]
    assert table["description"].to_list() == [d for _, d, _ in records]
    failed = [number for number, (_, _, s) in enumerate(records) if not is_computable(s)]
    assert store.failures["record"].to_list() == failed
    reference = embed_files(
        write(folder / "turned.fasta", list(reversed(records))),
        folder / "turned.h5",
        EmbedOptions(model=tiny_lstm, **EVERYTHING),
    )
    turned = list(reversed(values_by_record(reference)))
    for one, other in zip(values_by_record(store), turned, strict=True):
        assert one.keys() == other.keys()
        for name in one:
            np.testing.assert_allclose(one[name], other[name], rtol=1e-5, atol=2e-6)


def test_equal_sequences_are_computed_once(tiny_lstm, tmp_path, small_blocks):
    small_blocks(300)
    records = [(f"copy{i}", "", "MKVLA" if i % 2 else "mkvla") for i in range(1000)]
    store = embed_files(
        write(tmp_path / "in.fasta", records), tmp_path / "out.h5", EmbedOptions(model=tiny_lstm)
    )
    assert (len(store), store.num_sequences) == (1000, 1)
    assert store.provenance["computed_residues"] == 5
    assert store.provenance["symbols"] == {
        "residues": 5000,
        "lower_case": 2500,
        "ambiguous": 0,
    }


def test_progress_follows_the_computation_within_a_block(tiny_lstm, tmp_path):
    source = write(tmp_path / "in.fasta", random_records(40))
    told = Told()
    options = EmbedOptions(model=tiny_lstm, tokens_per_batch=60)
    embed_files(source, tmp_path / "out.h5", options, progress=told)
    assert len(told.residues) > 8
    assert told.fractions == sorted(told.fractions)
    assert 0 < told.fractions[0] < 0.3
    assert told.fractions[-1] == pytest.approx(1)


@pytest.mark.parametrize("name", ["mean_layer0", "residue_layer0"])
@pytest.mark.parametrize("option", ["precision", "save_as"])
def test_values_that_are_not_finite_fail_their_record_only(tmp_path, save_tiny, option, name):
    import torch
    from safetensors.torch import load_file, save_file

    from bioseq.tokenizer import build_residue_tokenizer

    folder = save_tiny(
        f"huge-{option}",
        build_residue_tokenizer("protein"),
        architecture="convolutional",
        dim=8,
        kernel=1,
        dilations=(1,),
    )
    weights = load_file(folder / "model.safetensors")
    row = build_residue_tokenizer("protein").vocabulary.id("W")
    weights["encoder.embedding.weight"][row] = 70_000.0 * torch.arange(8)
    save_file(weights, folder / "model.safetensors")
    source = write(tmp_path / "in.fasta", [("a", "", "MKV"), ("w", "", "MWV"), ("b", "", "MKVW")])
    chosen = {"pool": ()} if name == "residue_layer0" else {"per_residue": False}
    options = replace(
        EmbedOptions(model=folder, layers=(0,), per_residue=True), **{option: "float16"}, **chosen
    )
    store = embed_files(source, tmp_path / "out.h5", options)
    assert store.rows.tolist() == [0, -1, -1]
    assert store.failures["record"].to_list() == [1, 2]
    assert "not finite" in store.failures["reason"][0]
    assert np.isfinite(store[name].to_numpy()[0]).all()
    assert check_store(store.path) == []


def test_an_empty_input_gives_an_empty_store_with_all_its_columns(tiny_lstm, tmp_path):
    source = write(tmp_path / "in.fasta", [])
    store = embed_files(source, tmp_path / "o.h5", EmbedOptions(model=tiny_lstm, **EVERYTHING))
    assert len(store) == 0
    names = ("mean", "max", "residue")
    assert sorted(store.names) == sorted([*names, *(f"{name}_layer0" for name in names)])
    assert store["mean_layer0"].dim == 6
    assert store["mean"].dim == 16
    assert check_store(store.path) == []


def test_only_failures_give_a_store_of_failures(tiny_lstm, tmp_path):
    source = write(tmp_path / "in.fasta", [("a", "", ""), ("b", "", "1")])
    store = embed_files(source, tmp_path / "o.h5", EmbedOptions(model=tiny_lstm))
    assert store.rows.tolist() == [-1, -1]


def test_the_store_names_the_model_and_the_files_without_their_folders(tiny_lstm, tmp_path):
    source = write(tmp_path / "in.fasta", random_records(2))
    store = embed_files(source, tmp_path / "o.h5", EmbedOptions(model=tiny_lstm))
    attrs = store["mean"].attrs
    assert attrs["model"] == "tiny-lstm"
    assert (attrs["layer"], attrs["pooling"], attrs["precision"]) == (2, "mean", "float32")
    assert store.provenance["inputs"] == [
        {"name": "in.fasta", "format": "fasta", "compression": None}
    ]
    assert str(tmp_path) not in str(store.attrs)


def test_saved_as_float16_is_float32_rounded(tiny_lstm, tmp_path):
    source = write(tmp_path / "in.fasta", random_records(5))
    found = {
        save_as: embed_files(
            source,
            tmp_path / f"{save_as}.h5",
            EmbedOptions(model=tiny_lstm, per_residue=True, save_as=save_as),
        )
        for save_as in ("float32", "float16")
    }
    for name in ("mean", "residue"):
        for wide, narrow in zip(*(found[s][name].to_numpy() for s in found), strict=True):
            assert narrow.dtype == np.float16
            np.testing.assert_array_equal(wide.astype(np.float16), narrow)


def test_one_path_and_a_list_of_paths_are_both_inputs(tiny_lstm, tmp_path):
    records = random_records(6)
    plain = write(tmp_path / "in.fasta", records)
    packed = tmp_path / "in.fasta.gz"
    packed.write_bytes(gzip.compress(fasta(records).encode()))
    options = EmbedOptions(model=tiny_lstm)
    one = embed_files(str(plain), tmp_path / "1.h5", options)
    other = embed_files([packed], tmp_path / "2.h5", options)
    both = embed_files((plain, packed), tmp_path / "3.h5", options)
    assert content_digest(one) == content_digest(other)
    assert (len(both), both.num_sequences) == (12, 6)


def test_the_store_reads_as_a_data_frame(tiny_lstm, tmp_path):
    source = write(tmp_path / "in.fasta", [("a", "x", "MKV"), ("b", "", "")])
    store = embed_files(source, tmp_path / "o.h5", EmbedOptions(model=tiny_lstm))
    assert isinstance(store.records, pl.DataFrame)
    assert store.records["digest"].to_list() == [refget_digest("MKV"), None]
    np.testing.assert_array_equal(store["mean"].by_id("a"), store["mean"][0])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"pool": "median"}, "pool is 'median'"),
        ({"pool": ()}, "pool is 'none'"),
        ({"layers": ()}, "layers is "),
        ({"layers": (3,)}, "layer is 3; allowed: 0 to 2, or -1 to -3"),
        ({"molecule": "dna"}, "molecule of the input is 'dna'"),
        ({"format": "word"}, "'word'"),
        ({"tokens_per_batch": 0}, "tokens_per_batch is 0"),
        ({"device": "tpu"}, "device is 'tpu'; allowed: auto, "),
        ({"window": 100}, "window is 100; "),
    ],
)
def test_options_that_are_not_allowed_are_refused_before_any_work(
    options, message, tiny_lstm, tmp_path
):
    source = write(tmp_path / "in.fasta", random_records(2))
    with pytest.raises(OptionError) as caught:
        embed_files(source, tmp_path / "o.h5", EmbedOptions(**{"model": tiny_lstm, **options}))
    assert message in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["in.fasta"]


@pytest.mark.parametrize("name", ["precision", "save_as", "molecule"])
def test_words_that_are_not_allowed_are_refused_where_no_checker_looks(name):
    options = EmbedOptions()
    object.__setattr__(options, name, "x")
    with pytest.raises(OptionError, match=f"{name} is 'x'"):
        options.__post_init__()


def test_cls_needs_a_special_token(save_tiny, tmp_path):
    from bioseq.tokenizer import ResidueTokenizer, Vocabulary

    bare = ResidueTokenizer(molecule="protein", vocabulary=Vocabulary(tuple("ACDEF")))
    config = {"architecture": "convolutional", "dim": 4, "kernel": 1, "dilations": (1,)}
    model = save_tiny("no-cls", bare, **config)
    source = write(tmp_path / "in.fasta", [("a", "", "ACD"), ("j", "", "AWC")])
    with pytest.raises(OptionError, match="no such token"):
        embed_files(source, tmp_path / "o.h5", EmbedOptions(model=model, pool=("cls",)))
    store = embed_files(source, tmp_path / "o.h5", EmbedOptions(model=model))
    assert store.failures["reason"].to_list() == [
        "symbol 'W' at position 2 is not in the model's alphabet"
    ]


def test_blocks_end_where_the_residues_or_the_records_or_the_pairs_suffice():
    from bioseq.records import Record
    from bioseq.runs import CheckedRecord

    def blocks(sequences, **bounds):
        checked = [
            CheckedRecord(record=Record("", "", s), digest=refget_digest(s), problem=None)
            for s in sequences
        ]
        known: dict[str, int] = {}
        for block in cut_blocks(checked, known, cost=len, **bounds):
            known.update((digest, 0) for digest in block.new)
            yield len(block.ids), list(block.new.values())

    by_records = blocks(["A", "C", "A", "D", "E"], residues_per_block=100, records_per_block=2)
    assert list(by_records) == [(2, ["A", "C"]), (2, ["D"]), (1, ["E"])]
    by_residues = blocks(["AC", "AC", "DE", "FG"], residues_per_block=4, records_per_block=100)
    assert list(by_residues) == [(3, ["AC", "DE"]), (1, ["FG"])]
    bounds = {"residues_per_block": 100, "records_per_block": 100, "pairs_per_block": 8}
    by_pairs = blocks(["AC", "AC", "DE", "FGH"], **bounds)
    assert list(by_pairs) == [(3, ["AC", "DE"]), (1, ["FGH"])]
