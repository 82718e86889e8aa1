"""Room for values, and what becomes of it where a sequence fails."""

from __future__ import annotations

import numpy as np
import torch

from bioseq.records import Record, refget_digest
from bioseq.runs import BlockValues, CheckedRecord, RecordBlock, ValueBuffer, ValueSpec
from bioseq.store import Pairs

SEQUENCES = ["AC", "ACD", "A"]


def _fill(table: ValueBuffer) -> None:
    for index, sequence in enumerate(SEQUENCES):
        pairs = torch.triu_indices(len(sequence), len(sequence), 1)
        values = 10.0 * index + torch.arange(pairs.shape[1], dtype=torch.float32)[:, None]
        table.put_pairs("p", index, pairs, values if index else values / 0)


def test_a_pair_has_its_value_in_both_orders_and_no_residue_pairs_with_itself() -> None:
    table = ValueBuffer({"p": ValueSpec(owner="pair", dim=1)}, SEQUENCES, np.dtype(np.float32))
    _fill(table)
    found = table.values()["p"]
    assert isinstance(found, Pairs)
    nan = np.nan
    np.testing.assert_array_equal(found[1], [[nan, 10, 11], [10, nan, 12], [11, 12, nan]])
    np.testing.assert_array_equal(found[2], [[nan]])


def test_a_sequence_whose_pairs_are_not_finite_is_left_out_and_the_others_stay_maps() -> None:
    table = ValueBuffer({"p": ValueSpec(owner="pair", dim=1)}, SEQUENCES, np.dtype(np.float32))
    _fill(table)
    assert table.finite().tolist() == [False, True, True]
    block = RecordBlock()
    for id_, sequence in enumerate(SEQUENCES):
        record = Record(str(id_), "", sequence)
        checked = CheckedRecord(record=record, digest=refget_digest(sequence), problem=None)
        block.add(checked, {}, len)
    found = BlockValues(values={}, finite=table.finite(), predictions=table.values())
    done = block.finish(found, {}, first_record=0)
    assert [failure.id for failure in done.failures] == ["0"]
    kept, whole = done.predictions["p"], table.values()["p"]
    assert isinstance(kept, Pairs)
    np.testing.assert_array_equal(kept[0], whole[1])
