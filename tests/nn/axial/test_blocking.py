from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bioseq.errors import OptionError
from bioseq.nn.axial import block_memory, block_slices


@given(
    count=st.integers(0, 200), bytes_per_row=st.integers(1, 1000), num_bytes=st.integers(1, 10_000)
)
def test_blocks_cover_the_rows_in_order_and_fit_the_memory(
    count: int, bytes_per_row: int, num_bytes: int
) -> None:
    with block_memory(num_bytes):
        blocks = list(block_slices(count, bytes_per_row))
    assert [i for block in blocks for i in range(block.start, block.stop)] == list(range(count))
    sizes = [block.stop - block.start for block in blocks]
    assert all(size == 1 or size * bytes_per_row <= num_bytes for size in sizes)
    assert not sizes or max(sizes) - min(sizes) <= 1


def test_block_memory_ends_with_its_context() -> None:
    before = len(list(block_slices(100, 2**20)))
    with block_memory(1):
        assert len(list(block_slices(100, 2**20))) == 100
    assert len(list(block_slices(100, 2**20))) == before


def test_a_memory_of_nothing_is_refused() -> None:
    with pytest.raises(OptionError, match="block memory is 0"), block_memory(0):
        pass
