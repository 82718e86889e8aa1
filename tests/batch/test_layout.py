"""Laws of the layout: every view puts each token where it belongs."""

from __future__ import annotations

import itertools

import torch
from hypothesis import given
from hypothesis import strategies as st

from bioseq.batch import layout_of

lengths = st.lists(st.integers(1, 40), min_size=1, max_size=12)


@given(lengths=lengths)
def test_segments_and_positions_number_the_tokens(lengths: list[int]) -> None:
    layout = layout_of(lengths)
    expected = [(b, place) for b, length in enumerate(lengths) for place in range(length)]
    assert list(zip(layout.segments.tolist(), layout.positions.tolist(), strict=True)) == expected
    assert layout.num_tokens == len(expected)
    assert layout.num_segments == len(lengths)
    assert layout.max_length == max(lengths)
    assert layout.start_tensor.tolist() == list(layout.starts)
    assert [len(part) for part in layout.split(layout.segments)] == lengths


@given(lengths=lengths, num_prefix=st.integers(0, 2), num_suffix=st.integers(0, 2))
def test_what_is_between_special_tokens_has_a_layout_of_its_own(
    lengths: list[int], num_prefix: int, num_suffix: int
) -> None:
    layout = layout_of([length + num_prefix + num_suffix for length in lengths])
    places, inner = layout.without_specials(num_prefix, num_suffix)
    assert list(inner.lengths) == lengths
    assert torch.equal(layout.segments[places], inner.segments)
    assert torch.equal(layout.positions[places], inner.positions + num_prefix)


@given(lengths=lengths)
def test_groups_cover_the_segments_in_order(lengths: list[int]) -> None:
    groups = layout_of(lengths).groups
    assert [group.length for group in groups for _ in range(group.count)] == lengths
    assert all(a.length != b.length for a, b in itertools.pairwise(groups))


@given(lengths=lengths)
def test_blocks_read_every_token_once_from_either_end(lengths: list[int]) -> None:
    layout = layout_of(lengths)
    for direction in ("forward", "backward"):
        read = torch.cat([getattr(block, direction)[block.mask] for block in layout.blocks])
        assert sorted(read.tolist()) == list(range(layout.num_tokens))
    for block in layout.blocks:
        longest = len(block.mask)
        for n in range(block.mask.shape[1]):
            length = int(block.mask[:, n].sum())
            start = int(block.forward[0, n])
            assert block.mask[:length, n].all()
            assert length == lengths[layout.starts.index(start)]
            assert longest <= max(length + 8, length * 1.15)
            places = list(range(start, start + length))
            assert block.forward[:length, n].tolist() == places
            assert block.backward[:length, n].tolist() == places[::-1]
            assert set(block.forward[:, n].tolist()) == set(places), "reads its own tokens only"


@given(lengths=lengths)
def test_the_mask_is_true_on_tokens(lengths: list[int]) -> None:
    layout = layout_of(lengths)
    assert layout.mask.shape == (len(lengths), max(lengths))
    for row, length in zip(layout.mask, lengths, strict=True):
        assert row.tolist() == [True] * length + [False] * (max(lengths) - length)


def test_an_empty_layout_has_nothing() -> None:
    layout = layout_of([])
    assert (layout.num_tokens, layout.num_segments, layout.max_length) == (0, 0, 0)
    assert layout.groups == layout.blocks == ()
    assert len(layout.positions) == 0
