"""From plain data to an encoder and back: the only list of the architectures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from bioseq.errors import OptionError
from bioseq.models.convolutional import ConvolutionalConfig, ConvolutionalEncoder
from bioseq.models.encoding import Encoder
from bioseq.models.one_hot import OneHotConfig, OneHotEncoder
from bioseq.models.recurrent import RecurrentConfig, RecurrentEncoder
from bioseq.models.transformer import TransformerEncoder
from bioseq.models.transformer_config import TransformerConfig

_ARCHITECTURES: Mapping[str, tuple[type[Any], type[Encoder]]] = {
    "convolutional": (ConvolutionalConfig, ConvolutionalEncoder),
    "one-hot": (OneHotConfig, OneHotEncoder),
    "recurrent": (RecurrentConfig, RecurrentEncoder),
    "transformer": (TransformerConfig, TransformerEncoder),
}


def build_encoder(config: Mapping[str, Any]) -> Encoder:
    """Builds an encoder with random weights from what `encoder_config` gave.

    Raises:
        OptionError: the architecture or one of its fields is unknown or impossible.
    """
    fields = {k: tuple(v) if isinstance(v, list) else v for k, v in config.items()}
    name: Any = fields.pop("architecture", None)
    if name not in _ARCHITECTURES:
        raise OptionError("architecture", name, allowed=_ARCHITECTURES)
    config_type, encoder_type = _ARCHITECTURES[name]
    known = config_type.__dataclass_fields__
    for field in fields:
        if field not in known:
            raise OptionError("encoder field", field, allowed=f"for {name}: {', '.join(known)}")
    try:
        return encoder_type(config_type(**fields))
    except TypeError as error:
        allowed = f"for {name}: {', '.join(known)} ({error})"
        raise OptionError("encoder fields", fields, allowed=allowed) from None


def encoder_config(encoder: Encoder) -> dict[str, Any]:
    """Returns plain data from which `build_encoder` makes the same architecture."""
    for name, (_, encoder_type) in _ARCHITECTURES.items():
        if type(encoder) is encoder_type:
            return {"architecture": name, **asdict(encoder.config)}
    raise OptionError("encoder", type(encoder).__name__, allowed=_ARCHITECTURES)
