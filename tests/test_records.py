import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioseq.records import Record, refget_digest


@pytest.mark.parametrize(
    ("sequence", "digest"),
    [
        ("ACGT", "SQ.aKF498dAxcJAqme6QYQ7EZ07-fiw8Kw2"),
        ("", "SQ.z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXc"),
    ],
)
def test_the_digest_is_the_published_one(sequence, digest):
    assert refget_digest(sequence) == digest


@given(st.text("ACGTN", max_size=30))
def test_the_digest_is_blind_to_case(sequence):
    assert refget_digest(sequence.lower()) == refget_digest(sequence)


@given(st.lists(st.text("ACDE", max_size=6), unique=True, max_size=20))
def test_different_sequences_have_different_digests(sequences):
    digests = {refget_digest(sequence) for sequence in sequences}
    assert len(digests) == len(sequences)
    assert all(len(digest) == 35 and digest.startswith("SQ.") for digest in digests)


def test_a_record_keeps_what_it_was_given():
    record = Record("sp|P1/2 ", " a  b", "mkV*")
    assert (record.id, record.description, record.sequence) == ("sp|P1/2 ", " a  b", "mkV*")
    assert record.molecule is None


def test_a_record_cannot_be_changed():
    record = Record("a", "", "MKV", "protein")
    with pytest.raises(dataclasses.FrozenInstanceError):
        record.sequence = "M"  # type: ignore[misc]
