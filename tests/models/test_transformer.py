"""The Transformer against independent definitions of its parts and of the whole."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
from einops import rearrange
from torch import Tensor, nn

from bioseq.batch import PackedBatch, layout_of
from bioseq.errors import OptionError
from bioseq.models import Encoder, TransformerConfig, TransformerEncoder
from bioseq.models.transformer_layer import TransformerLayer

Pack = Callable[[Sequence[Tensor]], PackedBatch]
Draw = Callable[[Sequence[int], int], list[Tensor]]
Build = Callable[[dict[str, Any]], Encoder]

CONFIG = {
    "architecture": "transformer",
    "vocabulary_size": 12,
    "dim": 12,
    "num_layers": 2,
    "num_heads": 3,
    "feed_forward_dim": 16,
    "position": "none",
    "max_tokens": 64,
}
LENGTHS = [7, 1, 21, 21, 2, 40]


def _torch_layer(config: TransformerConfig, layer: nn.Module) -> nn.TransformerEncoderLayer:
    """PyTorch's own layer with the weights of ours."""
    theirs = nn.TransformerEncoderLayer(
        config.dim,
        config.num_heads,
        config.feed_forward_dim,
        dropout=0.0,
        activation=config.activation,
        batch_first=True,
        norm_first=config.norm == "pre",
    )
    names = {
        "attention.query_key_value.weight": "self_attn.in_proj_weight",
        "attention.query_key_value.bias": "self_attn.in_proj_bias",
        "attention.output": "self_attn.out_proj",
        "attention_norm": "norm1",
        "feed_forward_norm": "norm2",
        "feed_forward.up": "linear1",
        "feed_forward.down": "linear2",
    }
    state = {}
    for key, tensor in layer.state_dict().items():
        ours = max((name for name in names if key.startswith(name)), key=len)
        state[key.replace(ours, names[ours])] = tensor
    theirs.load_state_dict(state)
    return theirs


# The training path: PyTorch's fused inference path warns about its own nested tensors.
@pytest.mark.parametrize("norm", ["pre", "post"])
@pytest.mark.parametrize("activation", ["gelu", "relu"])
@pytest.mark.parametrize("position", ["none", "learned"])
def test_pytorch_padded_encoder_gives_the_same(
    build: Build,
    pack_tokens: Pack,
    draw_tokens: Draw,
    norm: str,
    activation: str,
    position: str,
) -> None:
    ours = build({**CONFIG, "norm": norm, "activation": activation, "position": position})
    assert isinstance(ours, TransformerEncoder)
    batch = pack_tokens(draw_tokens(LENGTHS, 0))
    tokens, mask = batch.padded(0)
    x = ours.embedding.tokens(tokens)
    if position == "learned":
        x = x + ours.embedding.positions.weight[: tokens.shape[1]]
    for number, layer in enumerate(ours.layers, start=1):
        x = _torch_layer(ours.config, layer).train()(x, src_key_padding_mask=~mask)
        expected = ours.final_norm(x) if number == ours.num_layers else x
        state = ours(batch, layers=(number,)).states[0]
        torch.testing.assert_close(state, expected[mask])


@torch.no_grad()
def test_attention_maps_are_what_the_layer_applies(
    transformer: TransformerEncoder, pack_tokens: Pack, draw_tokens: Draw
) -> None:
    batch = pack_tokens(draw_tokens(LENGTHS, 0))
    encoding = transformer(batch, layers=range(transformer.num_layers + 1), attentions=True)
    assert len(encoding.attentions) == transformer.num_layers == 2
    layers = [layer for layer in transformer.layers if isinstance(layer, TransformerLayer)]
    attended: dict[int, tuple[Tensor, Tensor]] = {}
    for number, layer in enumerate(layers):
        layer.attention.register_forward_hook(
            lambda module, inputs, output, n=number: attended.update({n: (inputs[0], output)})
        )
    transformer(batch)
    for number, layer in enumerate(layers):
        x, output = attended[number]
        value = layer.attention.query_key_value(x)[:, -transformer.dim :]
        applied = []
        maps = encoding.attentions[number]
        for each, v in zip(maps, batch.layout.split(value), strict=True):
            assert each.shape == (3, len(v), len(v))
            torch.testing.assert_close(each.sum(dim=-1), torch.ones(3, len(v)))
            heads = rearrange(v, "l (h d) -> h l d", h=3)
            applied.append(rearrange(each @ heads, "h l d -> l (h d)"))
        torch.testing.assert_close(
            layer.attention.output(torch.cat(applied)), output, rtol=1e-5, atol=1e-6
        )


def test_only_attention_has_maps(build: Build, pack_tokens: Pack) -> None:
    convolutional = {"architecture": "convolutional", "vocabulary_size": 12, "dim": 4, "kernel": 3}
    sizes = {"embedding_dim": 4, "hidden_dim": 4, "num_layers": 1}
    recurrent = {"architecture": "recurrent", "vocabulary_size": 12, **sizes}
    batch = pack_tokens([torch.arange(4)])
    for config in (
        {**convolutional, "dilations": (1,)},
        {**recurrent, "cell": "gru", "direction": "forward"},
    ):
        with pytest.raises(OptionError, match="attentions is True"):
            build(config)(batch, attentions=True)


@torch.no_grad()
def test_token_dropout_scales_by_the_share_of_masked_tokens(
    build: Build, pack_tokens: Pack
) -> None:
    encoder = build({**CONFIG, "mask_token": 3, "mask_rate": 0.12})
    assert isinstance(encoder, TransformerEncoder)
    half, none = torch.tensor([3, 4, 3, 5]), torch.tensor([6, 7])
    layer_zero = encoder(pack_tokens([half, none]), layers=(0,)).states[0]
    table = encoder.embedding.tokens.weight
    expected = torch.cat(
        [
            torch.stack([0 * table[3], table[4] * 0.88 / 0.5, 0 * table[3], table[5] * 0.88 / 0.5]),
            table[none] * 0.88,
        ]
    )
    torch.testing.assert_close(layer_zero, expected)


@torch.no_grad()
def test_a_sequence_of_masks_alone_has_finite_states(build: Build, pack_tokens: Pack) -> None:
    encoder = build({**CONFIG, "mask_token": 3})
    state = encoder(pack_tokens([torch.full((5,), 3)])).states[0]
    assert state.isfinite().all()


def test_a_sequence_above_the_limit_is_refused(build: Build) -> None:
    encoder = build({**CONFIG, "max_tokens": 8})
    batch = PackedBatch(tokens=torch.zeros(11, dtype=torch.int64), layout=layout_of([2, 9]))
    with pytest.raises(OptionError, match="is 9; allowed: to 8"):
        encoder(batch)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"num_heads": 5}, "dim is 12; allowed: multiples of num_heads = 5"),
        ({"num_heads": 4, "position": "rotary"}, "head_dim is 3"),
        ({"position": "learned", "max_tokens": None}, "max_tokens is None"),
    ],
)
def test_impossible_shapes_are_refused(
    build: Build, fields: dict[str, object], message: str
) -> None:
    with pytest.raises(OptionError, match=message):
        build({**CONFIG, **fields})
