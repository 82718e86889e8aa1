"""One tiny encoder for every architecture and option, and batches to put through them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
from torch import Tensor

from bioseq.batch import PackedBatch, layout_of
from bioseq.models import Encoder, StreamingEncoder, TransformerEncoder, build_encoder

VOCABULARY = 12

Configs = dict[str, dict[str, Any]]


def _recurrent(**fields: Any) -> dict[str, Any]:
    sizes = {"embedding_dim": 6, "hidden_dim": 8, "num_layers": 2}
    return {"architecture": "recurrent", "vocabulary_size": VOCABULARY, **sizes, **fields}


def _transformer(**fields: Any) -> dict[str, Any]:
    sizes = {"dim": 12, "num_layers": 2, "num_heads": 3, "feed_forward_dim": 16, "max_tokens": 64}
    return {"architecture": "transformer", "vocabulary_size": VOCABULARY, **sizes, **fields}


def _streaming_configs() -> Configs:
    convolutional = {"architecture": "convolutional", "vocabulary_size": VOCABULARY, "dim": 8}
    configs: Configs = {
        "convolutional": {**convolutional, "kernel": 5, "dilations": (1, 2, 4)},
        "convolutional-pointwise": {**convolutional, "kernel": 1, "dilations": (1,)},
    }
    cells, directions = ("rnn", "lstm", "gru", "mlstm"), ("forward", "bidirectional", "independent")
    for cell, direction in itertools.product(cells, directions):
        configs[f"{cell}-{direction}"] = _recurrent(cell=cell, direction=direction)
    for direction in directions:
        configs[f"convolution-lstm-{direction}"] = _recurrent(
            cell="lstm", direction=direction, kernel=3, dilations=(1, 2)
        )
    return configs


def _transformer_configs() -> Configs:
    positions = ("none", "learned", "sinusoidal", "rotary", "alibi", "relative")
    activations = itertools.cycle(("gelu", "relu", "silu"))
    configs: Configs = {}
    for position, norm, gated in itertools.product(positions, ("pre", "post"), (False, True)):
        activation = next(activations)
        name = f"{position}-{norm}-{'gated-' if gated else ''}{activation}"
        configs[name] = _transformer(
            position=position, norm=norm, gated=gated, activation=activation
        )
    configs["token-dropout"] = _transformer(mask_token=3, embedding_norm=True)
    configs["position-offset"] = _transformer(position="learned", position_offset=2)
    return {
        name: {**config, "dim": 12 if config.get("position") != "rotary" else 24}
        for name, config in configs.items()
    }


STREAMING, TRANSFORMERS = _streaming_configs(), _transformer_configs()
ALL = STREAMING | {f"transformer-{name}": config for name, config in TRANSFORMERS.items()}


def build_seeded(config: dict[str, Any]) -> Encoder:
    """An encoder whose every parameter is random, norms and biases too."""
    generator = torch.Generator().manual_seed(1)
    encoder = build_encoder(config).eval()
    for parameter in encoder.parameters():
        noise = torch.randn(parameter.shape, generator=generator)
        parameter.data += 0.1 * noise
    return encoder


@pytest.fixture(params=ALL)
def encoder(request: pytest.FixtureRequest) -> Encoder:
    return build_seeded(ALL[request.param])


@pytest.fixture(params=STREAMING)
def streaming_encoder(request: pytest.FixtureRequest) -> StreamingEncoder:
    encoder = build_seeded(STREAMING[request.param])
    assert isinstance(encoder, StreamingEncoder)
    return encoder


@pytest.fixture(params=TRANSFORMERS)
def transformer(request: pytest.FixtureRequest) -> TransformerEncoder:
    encoder = build_seeded(TRANSFORMERS[request.param])
    assert isinstance(encoder, TransformerEncoder)
    return encoder


@pytest.fixture
def build() -> Callable[[dict[str, Any]], Encoder]:
    return build_seeded


@pytest.fixture
def pack_tokens() -> Callable[[Sequence[Tensor]], PackedBatch]:
    def pack_tokens(sequences: Sequence[Tensor]) -> PackedBatch:
        layout = layout_of([len(sequence) for sequence in sequences])
        return PackedBatch(tokens=torch.cat(list(sequences)), layout=layout)

    return pack_tokens


@pytest.fixture
def draw_tokens() -> Callable[[Sequence[int], int], list[Tensor]]:
    """Random sequences of the given lengths, without the mask token of the dropout model."""

    def draw_tokens(lengths: Sequence[int], seed: int = 0) -> list[Tensor]:
        generator = torch.Generator().manual_seed(seed)
        return [torch.randint(4, VOCABULARY, (n,), generator=generator) for n in lengths]

    return draw_tokens
