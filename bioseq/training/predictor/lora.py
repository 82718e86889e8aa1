"""Low-rank changes of an encoder's matrices, by the library `peft`.

Source: Hu et al. 2021 (LoRA).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch import nn

from bioseq.errors import MissingDependencyError, OptionError
from bioseq.models import Encoder
from bioseq.training.predictor.encoder_settings import LoRASettings

if TYPE_CHECKING:
    from peft.tuners.lora import LoraModel

_NAME = "default"


def add_lora(encoder: Encoder, settings: LoRASettings) -> LoraModel:
    """Freezes an encoder and adds a change, zero to begin with, to the matrices of its layers.

    Args:
        encoder: Changed in place; it goes on to be called as before.
        settings: Shape of the changes.

    Returns:
        What `merge_lora` needs.

    Raises:
        MissingDependencyError: `peft` is not installed.
        OptionError: the encoder has no such matrix, or dropout is asked for in recurrent cells.
    """
    try:
        from peft import LoraConfig
        from peft.tuners.lora import LoraModel
    except ModuleNotFoundError as error:
        raise MissingDependencyError(error.name or "peft", extra="lora") from None
    linear, recurrent = _matrices(encoder)
    if not linear and not recurrent:
        raise OptionError("[encoder] train", "lora", allowed="for encoders with matrices")
    if recurrent and settings.dropout:
        allowed = "0 for encoders with recurrent cells"
        raise OptionError("[encoder.lora] dropout", settings.dropout, allowed=allowed)
    config = LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,  # pyright: ignore[reportArgumentType]
        lora_dropout=settings.dropout,
        target_modules=linear,
        target_parameters=recurrent,
    )
    return LoraModel(encoder, config, _NAME)


def merge_lora(adapted: Any) -> None:
    """Adds the changes to the encoder's matrices for good, in place."""
    adapted.merge_and_unload()


def _matrices(encoder: Encoder) -> tuple[list[str], list[str]]:
    """Returns the names of linear maps, and of the matrices of recurrent cells.

    Convolutions stay as they are: peft's changes of them know no distance between taps.
    """
    linear, recurrent = [], []
    for name, module in encoder.named_modules():
        if isinstance(module, nn.Linear):
            linear.append(name)
        if isinstance(module, nn.RNNBase):
            recurrent += [f"{name}.{p}" for p, w in module.named_parameters() if w.dim() == 2]
    return linear, recurrent
