"""What is written is what is read."""

from __future__ import annotations

import tempfile
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bioseq.errors import OptionError
from bioseq.records import Record, refget_digest
from bioseq.store import Block, Ragged, UnfinishedWork, check_store, open_store

TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
RECORDS = st.lists(
    st.builds(
        Record,
        id=TEXT,
        description=st.one_of(TEXT, st.just("x" * 10_000)),
        sequence=st.text("ACDJ", min_size=1, max_size=6),
    ),
    max_size=40,
)


@settings(max_examples=30)
@given(records=RECORDS, size=st.integers(1, 50))
def test_every_record_is_read_back_as_it_was_written(
    worker: ModuleType, records: list[Record], size: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = worker.run(Path(folder) / "out.h5", records, size)
        assert check_store(path) == []
        with open_store(path) as store:
            assert len(store) == len(records)
            assert store.ids == [record.id for record in records]
            assert store.records["description"].to_list() == [r.description for r in records]
            good = [record for record in records if worker.BAD not in record.sequence]
            assert store["residue"].ids == [record.id for record in good]
            for (id_, value), record in zip(store["residue"], good, strict=True):
                assert id_ == record.id
                np.testing.assert_array_equal(value, worker.residues_of(record.sequence))
            means = np.asarray(store["mean"].to_numpy())
            assert means.shape == (len(good), worker.DIM)
            for index, record in enumerate(records):
                if record in good:
                    expected = worker.residues_of(record.sequence).mean(axis=0)
                    np.testing.assert_array_equal(store["mean"][index], expected.astype("f2"))
                    assert store.records["digest"][index] == refget_digest(record.sequence)
                    assert store.records["length"][index] == len(record.sequence)
                else:
                    assert store.records["failure"][index] == "holds J"
            failed = [i for i, record in enumerate(records) if record not in good]
            assert store.failures["record"].to_list() == failed


@settings(max_examples=20)
@given(
    lengths=st.lists(st.integers(0, 5), max_size=12),
    dim=st.integers(1, 3),
    dtype=st.sampled_from(["float16", "float32", "float64", "int8", ">f4"]),
)
def test_any_shape_and_type_of_values_survives(lengths: list[int], dim: int, dtype: str) -> None:
    rng = np.random.default_rng(len(lengths))
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths, dtype=np.int64)])
    values = rng.integers(-9, 9, (int(offsets[-1]), dim)).astype(dtype)
    block = Block(
        ids=[str(i) for i in range(len(lengths))],
        descriptions=[""] * len(lengths),
        rows=np.arange(len(lengths)),
        digests=[refget_digest(str(i)) for i in range(len(lengths))],
        lengths=np.array(lengths, np.uint32),
        values={"residue": Ragged(values, offsets)},
    )
    with tempfile.TemporaryDirectory() as folder:
        work = UnfinishedWork.open_or_create(Path(folder) / "o.h5", {}, {})
        work.write(block)
        with open_store(work.assemble({})) as store:
            assert store["residue"].dtype == np.dtype(dtype).newbyteorder("<")
            for index in range(len(lengths)):
                np.testing.assert_array_equal(
                    store["residue"][index], values[offsets[index] : offsets[index + 1]]
                )


def test_many_short_records_are_read_in_order(worker: ModuleType, tmp_path: Path) -> None:
    records = [Record(str(i), "", "ACDEFGHIKLMNPQRSTVWY"[i % 20]) for i in range(20_000)]
    path = worker.run(tmp_path / "out.h5", records, 3_000)
    with open_store(path) as store:
        assert store.num_sequences == 20
        assert [id_ for id_, _ in store["residue"]] == [record.id for record in records]


def test_a_store_without_any_record_is_complete(worker: ModuleType, tmp_path: Path) -> None:
    with open_store(worker.run(tmp_path / "out.h5", [], 10)) as store:
        assert (len(store), store.num_sequences, len(store.failures)) == (0, 0, 0)
        assert np.shape(store["mean"].to_numpy()) == (0, worker.DIM)
        assert list(store["residue"]) == []
        assert len(store.records) == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ids": ["a\0b"]}, "without NUL"),
        ({"ids": ["\ud800"]}, "lone surrogates"),
        ({"ids": ["a", "b"]}, "number of descriptions is 1"),
        ({"rows": np.array([-1])}, "number of failures is 0"),
        ({"digests": []}, "number of lengths is 1"),
        ({"values": {"mean": np.zeros(1)}}, "two axes"),
        ({"values": {"mean": np.zeros((1, 2), complex)}}, "two axes"),
        ({"values": {"mean": np.zeros((2, 2))}}, "one for each new sequence"),
        ({"values": {"a/b": np.zeros((1, 2))}}, "without '/'"),
    ],
)
def test_a_block_that_contradicts_itself_is_refused(
    change: dict[str, object], message: str
) -> None:
    good: dict[str, object] = {
        "ids": ["a"],
        "descriptions": [""],
        "rows": np.array([0]),
        "digests": [refget_digest("A")],
        "lengths": np.array([1], np.uint32),
    }
    with pytest.raises(OptionError, match=message):
        Block(**{**good, **change})  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("offsets", [[0, 2], [1, 3], [0, 3, 2, 3], []])
def test_offsets_that_do_not_span_the_values_are_refused(offsets: list[int]) -> None:
    with pytest.raises(OptionError, match="rising from 0"):
        Ragged(np.zeros((3, 1)), np.array(offsets, np.int64))
