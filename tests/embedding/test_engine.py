"""The laws of the engine, for every kind of encoder and tokenizer."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from bioseq.batch import PackedBatch, layout_of, pack
from bioseq.embedding import EmbedOptions
from bioseq.embedding.job import build_job
from bioseq.errors import OptionError
from bioseq.tokenizer import build_residue_tokenizer


def blend(encode, content, size, overlap):
    """The windows' states by definition: for each token the weighted mean over its windows."""
    starts = list(range(0, max(1, len(content) - size), size - overlap))
    starts.append(max(0, len(content) - size))
    total, weight = 0.0, np.zeros((len(content), 1))
    for start in sorted(set(starts)):
        stop = min(start + size, len(content))
        ramp = np.ones(stop - start)
        if start > 0:
            ramp = np.minimum(ramp, np.arange(1, len(ramp) + 1) / (overlap + 1))
        if stop < len(content):
            ramp = np.minimum(ramp, np.arange(len(ramp), 0, -1) / (overlap + 1))
        found = encode(content[start:stop])
        states = np.zeros((len(content), found.shape[1]))
        states[start:stop] = ramp[:, None] * found
        total = total + states
        weight[start:stop, 0] += ramp
    return total / weight


def naive(engine, sequence, layer):
    """States of one sequence by itself, the long way round: of content and specials."""
    model, tokenizer = engine.model, engine.model.tokenizer
    prefix, suffix = len(tokenizer.prefix), len(tokenizer.suffix)
    ids = pack(tokenizer.encode([sequence])).tokens

    def states(tokens):
        batch = PackedBatch(tokens=tokens, layout=layout_of([len(tokens)]))
        with torch.no_grad():
            return model.encoder(batch, layers=[layer]).states[0].double().numpy()

    if engine.window is None or len(ids) <= engine.window.length:
        whole = states(ids)
        specials = np.concatenate([whole[:prefix], whole[len(whole) - suffix :]])
        return whole[prefix : len(whole) - suffix], specials
    front, back = ids[:prefix], ids[len(ids) - suffix :]
    specials = []

    def encode(content):
        found = states(torch.cat([front, content, back]))
        specials.append(np.concatenate([found[:prefix], found[len(found) - suffix :]]))
        return found[prefix : len(found) - suffix]

    content = ids[prefix : len(ids) - suffix]
    size = engine.window.length - prefix - suffix
    blended = blend(encode, content, size, engine.window.overlap)
    return blended, np.mean(specials, axis=0)


def naive_outputs(engine, sequence):
    found = {}
    for output in engine.outputs:
        content, specials = naive(engine, sequence, output.layer)
        spans = engine.model.tokenizer.spans(sequence)
        found[output.name] = {
            "mean": lambda x=content: x.mean(axis=0)[None],
            "max": lambda x=content: x.max(axis=0)[None],
            "std": lambda x=content: x.std(axis=0)[None],
            "last": lambda x=content: x[-1:],
            "cls": lambda x=specials: x[:1],
            "mean_tokens": lambda x=content, s=specials: np.concatenate([x, s]).mean(0)[None],
            "residue": lambda x=content, s=spans: np.array(
                [
                    np.mean([x[t] for t, (a, b) in enumerate(s) if a <= place < b], axis=0)
                    for place in range(len(sequence))
                ]
            ),
        }[output.pooling]()
    return found


def assert_close(found, wanted):
    assert found.keys() == wanted.keys()
    for name in found:
        np.testing.assert_allclose(found[name], wanted[name], rtol=1e-5, atol=2e-6, err_msg=name)


@settings(max_examples=5)
@given(data=st.data())
def test_every_output_is_that_of_the_sequence_alone(kind, engine_of, values_of, symbols_of, data):
    """Whatever the batch mates, the order, duplicates, the batch size, chunks and windows."""
    text = st.text(symbols_of(kind), min_size=1, max_size=70)
    sequences = data.draw(st.lists(text, min_size=1, max_size=3))
    sequences += data.draw(st.lists(st.sampled_from(sequences), max_size=2))
    # Longer than the windows of every attention encoder here, with any tokenizer.
    sequences.append((symbols_of(kind) * 15)[: data.draw(st.integers(110, 140))])
    engine = engine_of(kind, tokens_per_batch=data.draw(st.sampled_from([2, 40, 10**6])))
    found = values_of(engine, sequences)
    for place, sequence in enumerate(sequences):
        alone = {name: values[place] for name, values in found.items()}
        assert_close(alone, naive_outputs(engine, sequence))


def test_all_layers_and_poolings_are_there(kind, engine_of):
    engine = engine_of(kind)
    last = engine.model.encoder.num_layers
    names = {output.name for output in engine.outputs}
    assert {"mean", "residue", "max_layer0"} <= names
    assert len(names) == (last + 1) * len({output.pooling for output in engine.outputs})


def test_every_residue_is_told_once(kind, engine_of, symbols_of):
    sequences = [symbols_of(kind) * n for n in (1, 2, 9)]
    for tokens_per_batch in (5, 10**6):
        told = []
        engine_of(kind, tokens_per_batch=tokens_per_batch).run(sequences, told.append)
        assert sum(told) == sum(map(len, sequences))


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_half_precision_is_near_float32(kind, engine_of, values_of, symbols_of, precision):
    sequences = [symbols_of(kind) * n for n in (1, 5)]
    wanted = values_of(engine_of(kind), sequences)
    for tokens_per_batch in (10, 10**6):
        engine = engine_of(kind, precision=precision, tokens_per_batch=tokens_per_batch)
        found = values_of(engine, sequences)
        for name, arrays in found.items():
            for a, b in zip(arrays, wanted[name], strict=True):
                np.testing.assert_allclose(a, b, atol=0.15, err_msg=name)


def test_positions_are_exact_in_half_precision(tiny_transformer):
    job = build_job(EmbedOptions(model=tiny_transformer, precision="bfloat16"))
    encoder: Any = job.model.encoder
    assert {weight.dtype for weight in encoder.parameters()} == {torch.bfloat16}
    cosine, _ = encoder.rotary.angles(torch.tensor([1000]))
    exact: Any = build_job(EmbedOptions(model=tiny_transformer)).model.encoder
    torch.testing.assert_close(cosine, exact.rotary.angles(torch.tensor([1000]))[0])


def test_specials_do_not_enter_the_mean(tiny_lstm, engine_of, values_of):
    found = values_of(engine_of(tiny_lstm), ["MKV"])
    assert len(found["residue"][0]) == 3
    np.testing.assert_allclose(found["mean"][0][0], found["residue"][0].mean(axis=0), rtol=1e-5)


@pytest.fixture(scope="module")
def tiny_mlstm(save_tiny):
    config = {"cell": "mlstm", "embedding_dim": 6, "hidden_dim": 8, "num_layers": 2}
    tokenizer = build_residue_tokenizer("protein")
    return save_tiny(
        "tiny-mlstm", tokenizer, architecture="recurrent", direction="forward", **config
    )


@pytest.mark.parametrize("tokens_per_batch", [3, 10**6])
def test_the_cell_state_is_the_one_behind_the_last_token(
    tiny_mlstm, engine_of, values_of, tokens_per_batch
):
    sequences = ["MKV", "ACDEFGHIKLMN", "M", "WWWWKLMN"]
    options = {"pool": ("cell", "last"), "per_residue": False, "layers": (-1,)}
    engine = engine_of(tiny_mlstm, tokens_per_batch=tokens_per_batch, **options)
    found = values_of(engine, sequences)["cell"]
    encoder: Any = engine.model.encoder
    for sequence, ours in zip(sequences, found, strict=True):
        x = encoder.embedding(pack(engine.model.tokenizer.encode([sequence])).tokens)[:, None]
        cell = x
        for layer in encoder.forward_layers:
            x, (_, cell) = layer.cell(x)
        np.testing.assert_allclose(ours, cell[0].detach().numpy(), rtol=1e-5, atol=2e-6)


def test_a_cell_state_needs_a_multiplicative_lstm_and_its_last_layer(
    tiny_lstm, tiny_mlstm, engine_of
):
    with pytest.raises(OptionError, match="multiplicative LSTM"):
        engine_of(tiny_lstm, pool=("cell",))
    with pytest.raises(OptionError, match="the last one"):
        engine_of(tiny_mlstm, pool=("cell",), layers=(0, -1))


def test_a_residue_sees_no_further_than_the_convolutions_reach(
    tiny_convolution, engine_of, values_of
):
    reach, sequence, place = 7, list("ACDEFGHIKL" * 6), 30
    engine = engine_of(tiny_convolution, tokens_per_batch=16)
    before = values_of(engine, ["".join(sequence)])["residue"][0]
    sequence[place] = "W"
    after = values_of(engine, ["".join(sequence)])["residue"][0]
    changed = np.flatnonzero(np.abs(before - after).max(axis=1) > 1e-7)
    assert changed.min() == place - reach
    assert changed.max() == place + reach


def cramp(engine, room, monkeypatch):
    """Makes the encoder run out of memory above so many tokens; gives what was tried."""
    forward, attempts = engine.model.encoder.forward, []

    def cramped(batch, **options):
        attempts.append(batch.layout.num_tokens)
        if batch.layout.num_tokens > room:
            message = "no room"
            raise torch.OutOfMemoryError(message)
        return forward(batch, **options)

    monkeypatch.setattr(engine.model.encoder, "forward", cramped)
    return attempts


def test_a_batch_that_does_not_fit_is_halved(tiny_transformer, engine_of, values_of, monkeypatch):
    sequences = ["ACDEFG" * n for n in (1, 2, 3, 4, 5)]
    wanted = values_of(engine_of(tiny_transformer), sequences)
    engine = engine_of(tiny_transformer)
    attempts = cramp(engine, 40, monkeypatch)
    found = values_of(engine, sequences)
    assert max(attempts) > 40
    for name in wanted:
        for a, b in zip(found[name], wanted[name], strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=2e-6)


@pytest.mark.parametrize("length", [30, 300])
def test_one_sequence_that_does_not_fit_is_an_error_that_says_what_to_do(
    tiny_transformer, engine_of, monkeypatch, length
):
    engine = engine_of(tiny_transformer)
    cramp(engine, 20, monkeypatch)
    with pytest.raises(OptionError, match=rf"window is 64; .* of {length} residues"):
        engine.run(["A" * length], lambda _: None)


def test_streaming_encoders_refuse_a_window(tiny_lstm):
    for name in ("window", "overlap"):
        options = replace(EmbedOptions(model=tiny_lstm), **{name: 16})
        with pytest.raises(OptionError, match=f"^{name} is 16; .*any length"):
            build_job(options)
