"""The encoder that learns nothing."""

from __future__ import annotations

import torch

from bioseq.batch import PackedBatch, layout_of
from bioseq.models import StreamingEncoder, build_encoder, encoder_config
from bioseq.models.one_hot import OneHotConfig

CONFIG = {"architecture": "one-hot", "vocabulary_size": 5}


def test_a_state_is_one_at_its_token_and_zero_elsewhere() -> None:
    tokens = torch.tensor([3, 0, 4, 3])
    batch = PackedBatch(tokens=tokens, layout=layout_of([3, 1]))
    [states] = build_encoder(CONFIG)(batch).states
    assert torch.equal(states, torch.nn.functional.one_hot(tokens, 5).float())


def test_chunks_join_to_the_whole() -> None:
    encoder = build_encoder(CONFIG)
    assert isinstance(encoder, StreamingEncoder)
    tokens = torch.tensor([1, 2, 3, 4, 0])
    [whole] = encoder(PackedBatch(tokens=tokens, layout=layout_of([5]))).states
    chunks = list(encoder.stream(tokens, chunk=2))
    assert [chunk.start for chunk in chunks] == [0, 2, 4]
    assert torch.equal(torch.cat([chunk.states[0] for chunk in chunks]), whole)


def test_its_config_builds_it_again_and_it_has_no_weights() -> None:
    encoder = build_encoder(CONFIG)
    assert encoder_config(encoder) == CONFIG
    assert encoder.config == OneHotConfig(vocabulary_size=5)
    assert not encoder.state_dict()
