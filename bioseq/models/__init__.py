"""Encoders: from token ids to token states."""

from bioseq.models.build import build_encoder, encoder_config
from bioseq.models.convolutional import ConvolutionalConfig, ConvolutionalEncoder
from bioseq.models.encoding import Chunk, Encoder, Encoding, StreamingEncoder
from bioseq.models.msa_transformer import MSATransformer, MSATransformerConfig, Padding
from bioseq.models.one_hot import OneHotConfig, OneHotEncoder
from bioseq.models.recurrent import RecurrentConfig, RecurrentEncoder
from bioseq.models.transformer import TransformerEncoder
from bioseq.models.transformer_config import TransformerConfig

__all__ = [
    "Chunk",
    "ConvolutionalConfig",
    "ConvolutionalEncoder",
    "Encoder",
    "Encoding",
    "MSATransformer",
    "MSATransformerConfig",
    "OneHotConfig",
    "OneHotEncoder",
    "Padding",
    "RecurrentConfig",
    "RecurrentEncoder",
    "StreamingEncoder",
    "TransformerConfig",
    "TransformerEncoder",
    "build_encoder",
    "encoder_config",
]
