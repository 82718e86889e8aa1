from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from bioseq.embedding import EmbedOptions, embed_files
from bioseq.embedding.job import build_job
from bioseq.errors import OptionError
from bioseq.models import Encoder, Encoding
from bioseq.runs import Window, encode_windows


class Echo(Encoder):
    """Gives every token's id as its state, and remembers how much it read at once."""

    num_layers, dim = 0, 1

    def __init__(self, change=lambda x: x):
        super().__init__()
        self.change, self.read = change, []

    def forward(self, batch, *, layers=(-1,), attentions=False):
        self.read.append(batch.layout.num_tokens)
        return Encoding(layout=batch.layout, states=(self.change(batch.tokens.float())[:, None],))


@st.composite
def cuts(draw):
    specials = draw(st.tuples(st.integers(0, 2), st.integers(0, 2)))
    size = draw(st.integers(1, 20))
    overlap = draw(st.integers(0, size // 2))
    return specials, Window(length=size + sum(specials), overlap=overlap)


def encode(encoder, tokens, specials, window):
    chunks = encode_windows(
        encoder, tokens, window, num_prefix=specials[0], num_suffix=specials[1], layers=[0]
    )
    found = torch.full((len(tokens), 1), torch.nan)
    for chunk in chunks:
        assert torch.isnan(found[chunk.start : chunk.start + len(chunk.states[0])]).all()
        found[chunk.start : chunk.start + len(chunk.states[0])] = chunk.states[0]
    return found[:, 0]


@given(cut=cuts(), length=st.integers(1, 120))
def test_a_constant_state_stays_exactly_constant(cut, length):
    specials, window = cut
    tokens = torch.arange(length + sum(specials))
    found = encode(Echo(torch.ones_like), tokens, specials, window)
    assert (found == 1).all()


@given(cut=cuts(), length=st.integers(1, 120))
def test_every_token_is_given_once_and_in_its_place(cut, length):
    specials, window = cut
    tokens = torch.arange(length + sum(specials))
    encoder = Echo()
    found = encode(encoder, tokens, specials, window)
    torch.testing.assert_close(found, tokens.float())
    assert max(encoder.read) <= window.length


@given(cut=cuts(), length=st.integers(1, 120))
def test_windows_cover_the_sequence_and_overlap_as_said(cut, length):
    specials, window = cut
    stretches = window.stretches(length, sum(specials))
    assert stretches[0][0] == 0
    assert stretches[-1][1] == length
    for (_, stop), (start, _) in itertools.pairwise(stretches):
        assert stop - start >= window.overlap
    full = min(length, window.length - sum(specials))
    assert {stop - start for start, stop in stretches} == {full}


def test_the_blend_is_a_linear_ramp():
    calls = iter([0.0, 1.0])
    encoder = Echo(lambda x: torch.full_like(x, next(calls)))
    found = encode(encoder, torch.arange(9), (0, 0), Window(length=6, overlap=3))
    wanted = [0, 0, 0, 0.25, 0.5, 0.75, 1, 1, 1]
    torch.testing.assert_close(found, torch.tensor(wanted, dtype=torch.float32))


def write_fasta(path, *sequences):
    path.write_text("".join(f">s{i}\n{s}\n" for i, s in enumerate(sequences)))
    return path


def test_a_window_changes_nothing_where_the_sequence_fits(tiny_transformer, tmp_path):
    short = write_fasta(tmp_path / "short.fasta", "MKV" * 10)
    found = [
        embed_files(short, tmp_path / f"{w}.h5", EmbedOptions(model=tiny_transformer, window=w))
        for w in (32, 64)
    ]
    np.testing.assert_array_equal(found[0]["mean"].to_numpy(), found[1]["mean"].to_numpy())


def test_windows_do_not_depend_on_the_batch_size(tiny_transformer, tmp_path):
    long = write_fasta(tmp_path / "long.fasta", "MKVLA" * 40, "M", "GHKL" * 60)
    found = []
    for tokens in (1, 100, 10**6):
        options = EmbedOptions(model=tiny_transformer, tokens_per_batch=tokens, per_residue=True)
        found.append(embed_files(long, tmp_path / f"{tokens}.h5", options))
    for other in found[1:]:
        for name in ("mean", "residue"):
            for a, b in zip(found[0][name].to_numpy(), other[name].to_numpy(), strict=True):
                np.testing.assert_allclose(a, b, rtol=1e-5, atol=2e-6)


def test_the_window_is_recorded(tiny_transformer, tiny_lstm, tmp_path):
    records = write_fasta(tmp_path / "in.fasta", "MKV")
    for model, options, wanted in (
        (tiny_transformer, {}, (64, 16)),
        (tiny_transformer, {"window": 40, "overlap": 5}, (40, 5)),
        (tiny_lstm, {}, (0, 0)),
    ):
        out = tmp_path / f"{len(list(tmp_path.iterdir()))}.h5"
        chosen = replace(EmbedOptions(model=model), **options)
        with embed_files(records, out, chosen) as store:
            attrs = store["mean"].attrs
            assert (attrs["window"], attrs["overlap"]) == wanted


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"window": 65}, "window is 65; allowed: up to 64, the model's limit"),
        ({"window": 2}, "window is 2; allowed: more than the model's 2 special tokens"),
        ({"window": 0}, "window is 0; allowed: 1 or more"),
        ({"window": 12, "overlap": 6}, "overlap is 6; allowed: 0 to 5, half of the window"),
        ({"overlap": -1}, "overlap is -1; allowed: 0 or more"),
    ],
)
def test_impossible_windows_are_refused(tiny_transformer, options, message):
    with pytest.raises(OptionError) as caught:
        build_job(EmbedOptions(model=tiny_transformer, **options))
    assert str(caught.value) == message
