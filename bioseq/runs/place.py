"""Where a model runs, and through which windows it reads long sequences."""

from __future__ import annotations

import torch

from bioseq.checkpoints import Model
from bioseq.errors import OptionError
from bioseq.models import StreamingEncoder
from bioseq.options import ComputeOptions
from bioseq.runs.windows import Window


def choose_device(name: str) -> torch.device:
    """Returns the device of that name; `auto` is the fastest one at hand.

    Raises:
        OptionError: there is no such device here.
    """
    at_hand = [*(f"cuda:{i}" for i in range(torch.cuda.device_count()))]
    at_hand = ["cuda", *at_hand] if at_hand else []
    at_hand += ["mps"] if torch.backends.mps.is_available() else []
    at_hand += ["cpu"]
    if name not in ("auto", *at_hand):
        raise OptionError("device", name, allowed=["auto", *at_hand])
    return torch.device(at_hand[0] if name == "auto" else name)


def choose_window(model: Model, options: ComputeOptions) -> Window | None:
    """Returns how sequences beyond the encoder's limit are read; None where it has no limit.

    Raises:
        OptionError: the window or the overlap does not suit the model.
    """
    limit = model.encoder.max_tokens
    length = options.window or limit
    if isinstance(model.encoder, StreamingEncoder) or length is None:
        for name in ("window", "overlap"):
            if getattr(options, name) is not None:
                allowed = "none; this model reads sequences of any length in one go"
                raise OptionError(name, getattr(options, name), allowed=allowed)
        return None
    if limit is not None and length > limit:
        raise OptionError("window", length, allowed=f"up to {limit}, the model's limit")
    overlap = length // 4 if options.overlap is None else options.overlap
    window = Window(length=length, overlap=overlap)
    window.check(len(model.tokenizer.prefix) + len(model.tokenizer.suffix))
    return window
