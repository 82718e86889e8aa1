"""The laws of a run: complete, invariant, and the same however often it is interrupted."""

from __future__ import annotations

import gzip
import itertools
import threading
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bioseq.checkpoints import load_model
from bioseq.embed import EmbedOptions, embed_files
from bioseq.embed.blocks import cut_blocks
from bioseq.embed.engine import Engine
from bioseq.errors import FingerprintError, OptionError, StoreError
from bioseq.records import refget_digest
from bioseq.store import UnfinishedWork, check_store, content_digest

EVERYTHING = {"pool": ("mean", "max"), "per_residue": True, "layers": (0, -1)}

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


def fasta(records):
    return "".join(f">{i} {d}\n{s}\n" if d else f">{i}\n{s}\n" for i, d, s in records)


def write(path, records):
    path.write_text(fasta(records), encoding="utf-8")
    return path


def random_records(count, seed=0, length=30):
    rng = np.random.default_rng(seed)
    letters = list("ACDEFGHIKLMNPQRSTVWY")
    sizes = rng.integers(8, length, count)
    return [(f"r{i}", f"number {i}", "".join(rng.choice(letters, n))) for i, n in enumerate(sizes)]


@pytest.fixture
def small_blocks(monkeypatch):
    """Cuts the work into many parts."""

    def cut(records):
        monkeypatch.setattr("bioseq.embed.job.BLOCK_RECORDS", records)

    return cut


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
        patch.setattr("bioseq.embed.job.BLOCK_RECORDS", data.draw(st.integers(1, 5)))
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


def test_counts_are_the_same_after_a_resumed_run(tiny_dna_kmer, tmp_path, small_blocks):
    small_blocks(2)
    records = [(f"r{i}", "", s) for i, s in enumerate(["ACGNT", "AC", "NNNN", "acgt", "AC"])]
    source, options = write(tmp_path / "in.fasta", records), EmbedOptions(model=tiny_dna_kmer)
    whole = embed_files(source, tmp_path / "whole.h5", options)
    with pytest.raises(KeyboardInterrupt), interrupting_write(2):
        embed_files(source, tmp_path / "parts.h5", options)
    resumed = embed_files(source, tmp_path / "parts.h5", options)
    for name in ("symbols", "unknown_tokens", "molecule", "inputs", "model"):
        assert resumed.provenance[name] == whole.provenance[name]
    # ACG is a token; CGN and GNT are not; neither are AC, nor the NNN of NNNN.
    assert whole.provenance["unknown_tokens"] == 2 + 1 + 2 + 0 + 1
    assert whole.provenance["symbols"] == {"residues": 17, "lower_case": 4, "ambiguous": 5}


class interrupting_write:  # noqa: N801, reads as a verb
    """Interrupts the work just before, or just after, a block is written."""

    def __init__(self, block, *, after=False):
        self.block, self.after = block, after

    def __enter__(self):
        self.patch = pytest.MonkeyPatch()
        numbers, write = itertools.count(1), UnfinishedWork.write

        def interrupted(work, block):
            hit = next(numbers) == self.block
            if hit and not self.after:
                raise KeyboardInterrupt
            write(work, block)
            if hit:
                raise KeyboardInterrupt

        self.patch.setattr(UnfinishedWork, "write", interrupted)

    def __exit__(self, *_):
        self.patch.undo()


@pytest.mark.parametrize("after", [False, True])
def test_an_interrupted_run_goes_on_to_the_same_content(tiny_lstm, tmp_path, small_blocks, after):
    small_blocks(7)
    records = random_records(60)
    records += [("bad", "", "M1"), ("empty", "", ""), *records[:9]]
    source, options = write(tmp_path / "in.fasta", records), EmbedOptions(model=tiny_lstm)
    wanted = content_digest(embed_files(source, tmp_path / "whole.h5", options))
    for block in (1, 7):
        out = tmp_path / f"{block}.h5"
        with pytest.raises(KeyboardInterrupt), interrupting_write(block, after=after):
            embed_files(source, out, options)
        assert not out.exists()
        assert content_digest(embed_files(source, out, options)) == wanted
        assert not out.with_name(out.name + ".parts").exists()


def test_a_resumed_run_computes_only_what_is_missing(tiny_lstm, tmp_path, small_blocks):
    small_blocks(10)
    records = random_records(50)
    source, options = write(tmp_path / "in.fasta", records), EmbedOptions(model=tiny_lstm)
    with pytest.raises(KeyboardInterrupt), interrupting_write(4):
        embed_files(source, tmp_path / "out.h5", options)
    told = Told()
    store = embed_files(source, tmp_path / "out.h5", options, progress=told)
    missing = sum(len(s) for _, _, s in records[30:])
    assert store.provenance["computed_residues"] == sum(told.residues) == missing
    assert (told.done_records, told.is_finished) == (30, False)
    assert told.fractions[-1] == pytest.approx(1)


class Told:
    """Remembers what it is told of a run."""

    def __init__(self):
        self.residues, self.fractions = [], []

    def begin(self, *, model, device, done_records, is_finished):
        self.done_records, self.is_finished = done_records, is_finished

    def advance(self, *, residues, fraction):
        self.residues.append(residues)
        self.fractions.append(fraction)


def test_progress_follows_the_computation_within_a_block(tiny_lstm, tmp_path):
    source = write(tmp_path / "in.fasta", random_records(40))
    told = Told()
    options = EmbedOptions(model=tiny_lstm, tokens_per_batch=60)
    embed_files(source, tmp_path / "out.h5", options, progress=told)
    assert len(told.residues) > 8
    assert told.fractions == sorted(told.fractions)
    assert 0 < told.fractions[0] < 0.3
    assert told.fractions[-1] == pytest.approx(1)


def test_a_finished_run_repeated_computes_nothing(tiny_lstm, tmp_path, monkeypatch):
    source, out = write(tmp_path / "in.fasta", random_records(20)), tmp_path / "out.h5"
    options = EmbedOptions(model=tiny_lstm)
    embed_files(source, out, options)
    before = out.stat().st_mtime_ns
    monkeypatch.setattr(Engine, "run", None)
    told = Told()
    store = embed_files(source, out, options, progress=told)
    assert told.is_finished
    assert len(store) == 20
    assert out.stat().st_mtime_ns == before


OTHERS = {
    "weights_sha256": {"model": "tiny_convolution"},
    "outputs": {"pool": "max"},
    "precision": {"precision": "bfloat16"},
    "save_as": {"save_as": "float16"},
}


@pytest.mark.parametrize("setting", OTHERS)
def test_other_settings_are_refused_by_name(setting, tiny_lstm, tmp_path, small_blocks, request):
    small_blocks(10)
    source, out = write(tmp_path / "in.fasta", random_records(30)), tmp_path / "out.h5"
    other = dict(OTHERS[setting])
    if "model" in other:
        other["model"] = request.getfixturevalue(other["model"])
    first, second = EmbedOptions(model=tiny_lstm), EmbedOptions(**{"model": tiny_lstm, **other})
    with pytest.raises(KeyboardInterrupt), interrupting_write(2):
        embed_files(source, out, first)
    with pytest.raises(FingerprintError, match=f"{setting} was ") as caught:
        embed_files(source, out, second)
    assert len(str(caught.value)) < 1000
    embed_files(source, out, first)
    with pytest.raises(StoreError, match=rf"{setting} was .*choose another name or --overwrite"):
        embed_files(source, out, second)
    replaced = embed_files(source, out, second, overwrite=True)
    fresh = embed_files(source, tmp_path / "fresh.h5", second)
    assert content_digest(replaced) == content_digest(fresh)


def test_another_architecture_with_the_same_weights_is_other_work(save_tiny, tmp_path):
    """Two encoders whose weights have the same shapes, and that differ in how they use them."""
    from bioseq.tokenizer import build_residue_tokenizer

    config = {"architecture": "convolutional", "dim": 8, "kernel": 3}
    protein = build_residue_tokenizer("protein")
    near = save_tiny("near", protein, **config, dilations=(1, 1))
    far = save_tiny("far", protein, **config, dilations=(1, 2))
    assert load_model(near).weights_sha256 == load_model(far).weights_sha256
    source = write(tmp_path / "in.fasta", random_records(3))
    embed_files(source, tmp_path / "out.h5", EmbedOptions(model=near))
    with pytest.raises(StoreError, match="encoder was 'convolutional "):
        embed_files(source, tmp_path / "out.h5", EmbedOptions(model=far))


CHANGES = {
    "its sequence was 'SQ": lambda r: [*r[:5], (r[5][0], r[5][1], "WWW"), *r[6:]],
    "its id was 'r5', now 'x'": lambda r: [*r[:5], ("x", *r[5][1:]), *r[6:]],
    "its description was 'number 5', now 'y'": lambda r: [*r[:5], ("r5", "y", r[5][2]), *r[6:]],
    "the input ends there": lambda r: r[:5],
}


@pytest.mark.parametrize("what", CHANGES)
def test_another_input_is_refused(what, tiny_lstm, tmp_path, small_blocks):
    small_blocks(10)
    records, out = random_records(30), tmp_path / "out.h5"
    options = EmbedOptions(model=tiny_lstm)
    source = write(tmp_path / "in.fasta", records)
    other = write(tmp_path / "other.fasta", CHANGES[what](records))
    with pytest.raises(KeyboardInterrupt), interrupting_write(3):
        embed_files(source, out, options)
    with pytest.raises(StoreError, match=rf"unfinished .*record 6: {what}.* delete .*\.parts"):
        embed_files(other, out, options)
    embed_files(source, out, options)
    with pytest.raises(StoreError, match=rf"exists, .*record 6: {what}.* or --overwrite"):
        embed_files(other, out, options)
    assert len(embed_files(other, out, options, overwrite=True)) == len(CHANGES[what](records))


def test_more_input_than_a_finished_store_has_is_refused(tiny_lstm, tmp_path):
    records, out = random_records(9), tmp_path / "out.h5"
    options = EmbedOptions(model=tiny_lstm)
    embed_files(write(tmp_path / "in.fasta", records[:5]), out, options)
    with pytest.raises(StoreError, match="record 6: the input goes on"):
        embed_files(write(tmp_path / "in.fasta", records), out, options)


def test_work_that_another_process_finishes_is_taken_as_done(tiny_lstm, tmp_path, small_blocks):
    small_blocks(5)
    source, out = write(tmp_path / "in.fasta", random_records(60)), tmp_path / "out.h5"
    options, run, calls = EmbedOptions(model=tiny_lstm), Engine.run, itertools.count()

    def overtaken(engine, *arguments):
        if next(calls) == 2:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(Engine, "run", run)
                embed_files(source, out, options)
        return run(engine, *arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Engine, "run", overtaken)
        store = embed_files(source, out, options)
    assert next(calls) <= 5, "of 12 blocks; the others are not computed again"
    fresh = embed_files(source, tmp_path / "fresh.h5", options)
    assert content_digest(store) == content_digest(fresh)


def test_a_smaller_batch_given_to_a_resumed_run_is_used(tiny_lstm, tmp_path, small_blocks):
    """Somebody whose first run was ended for its memory has to be able to ask for less."""
    small_blocks(5)
    source, out = write(tmp_path / "in.fasta", random_records(20)), tmp_path / "out.h5"
    with pytest.raises(KeyboardInterrupt), interrupting_write(2):
        embed_files(source, out, EmbedOptions(model=tiny_lstm))
    used, run = set(), Engine.run

    def noting(engine, *arguments):
        used.add(engine.tokens_per_batch)
        return run(engine, *arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Engine, "run", noting)
        embed_files(source, out, EmbedOptions(model=tiny_lstm, tokens_per_batch=17))
    assert used == {17}


def test_a_failed_write_ends_the_computation_at_once(
    tiny_lstm, tmp_path, small_blocks, monkeypatch
):
    """Between two batches, not after the block that is being computed."""
    small_blocks(30)
    source = write(tmp_path / "in.fasta", random_records(90))
    batches, failed = [], threading.Event()

    def write_nothing(work, block):
        failed.set()
        raise StoreError(work.path, "can't be written: no space left on device")

    class Slow(Told):
        def advance(self, *, residues, fraction):
            batches.append(failed.is_set())
            failed.wait(0.05)

    monkeypatch.setattr(UnfinishedWork, "write", write_nothing)
    options = EmbedOptions(model=tiny_lstm, tokens_per_batch=20)
    with pytest.raises(StoreError, match="no space"):
        embed_files(source, tmp_path / "out.h5", options, progress=Slow())
    assert sum(batches) <= 3


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


def test_blocks_end_where_the_residues_or_the_records_suffice():
    from bioseq.embed.records import CheckedRecord
    from bioseq.records import Record

    def blocks(sequences, **bounds):
        checked = [
            CheckedRecord(record=Record("", "", s), digest=refget_digest(s), problem=None)
            for s in sequences
        ]
        known: dict[str, int] = {}
        for block in cut_blocks(checked, known, **bounds):
            known.update((digest, 0) for digest in block.new)
            yield len(block.ids), list(block.new.values())

    by_records = blocks(["A", "C", "A", "D", "E"], residues_per_block=100, records_per_block=2)
    assert list(by_records) == [(2, ["A", "C"]), (2, ["D"]), (1, ["E"])]
    by_residues = blocks(["AC", "AC", "DE", "FG"], residues_per_block=4, records_per_block=100)
    assert list(by_residues) == [(3, ["AC", "DE"]), (1, ["FG"])]
