"""Streaming gives the numbers of one pass."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor

from bioseq.batch import PackedBatch
from bioseq.errors import OptionError
from bioseq.models import StreamingEncoder
from bioseq.nn import scratch

Pack = Callable[[Sequence[Tensor]], PackedBatch]
Draw = Callable[[Sequence[int], int], list[Tensor]]

EXAMPLES = settings(
    max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)


def _check_stream(
    encoder: StreamingEncoder, pack: Pack, tokens: Tensor, chunk: int, layers: Sequence[int]
) -> None:
    whole = encoder(pack([tokens]), layers=layers).states
    chunks = list(encoder.stream(tokens, chunk=chunk, layers=layers))
    sizes = [len(piece.states[0]) for piece in chunks]
    assert [piece.start for piece in chunks] == list(itertools.accumulate(sizes, initial=0))[:-1]
    assert max(sizes) <= chunk
    for number, state in enumerate(whole):
        streamed = torch.cat([piece.states[number] for piece in chunks])
        torch.testing.assert_close(streamed, state, rtol=1e-5, atol=1e-6)
    if encoder.has_cells:
        cells = encoder(pack([tokens])).cells
        assert cells is not None
        assert chunks[-1].cell is not None
        torch.testing.assert_close(chunks[-1].cell, cells[0], rtol=1e-5, atol=1e-6)
    else:
        assert all(piece.cell is None for piece in chunks)


@EXAMPLES
@given(length=st.integers(1, 60), chunk=st.integers(1, 70), seed=st.integers(0, 1000))
@torch.no_grad()
def test_any_chunk_size_gives_the_numbers_of_one_pass(
    streaming_encoder: StreamingEncoder,
    pack_tokens: Pack,
    draw_tokens: Draw,
    length: int,
    chunk: int,
    seed: int,
) -> None:
    layers = (-1, 0, 1, -1)
    [tokens] = draw_tokens([length], seed)
    _check_stream(streaming_encoder, pack_tokens, tokens, chunk, layers)


@torch.no_grad()
def test_states_kept_on_disk_are_those_kept_in_memory(
    streaming_encoder: StreamingEncoder,
    pack_tokens: Pack,
    draw_tokens: Draw,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(scratch, "IN_MEMORY_BYTES", 0)
    [tokens] = draw_tokens([50], 0)
    _check_stream(streaming_encoder, pack_tokens, tokens, 7, (0, 1, -1))


def test_a_layer_that_does_not_exist_is_refused(streaming_encoder: StreamingEncoder) -> None:
    with pytest.raises(OptionError, match="layer is 9"):
        list(streaming_encoder.stream(torch.arange(3), chunk=2, layers=(9,)))
