"""A run that is interrupted, repeated or given something else: the same content, or an error."""

from __future__ import annotations

import itertools
import threading

import pytest

from bioseq.checkpoints import load_model
from bioseq.embedding import EmbedOptions, embed_files
from bioseq.embedding.engine import Engine
from bioseq.errors import FingerprintError, StoreError
from bioseq.store import UnfinishedWork, content_digest
from tests.embedding.inputs import Told, random_records, write


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
