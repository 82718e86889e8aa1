"""The `[encoder]` table: which states the head reads, and what becomes of the encoder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from bioseq.checkpoints import DEFAULT_MODEL
from bioseq.errors import OptionError
from bioseq.settings import check_range, read_table

_ELSEWHERE = ("model", "train", "embeddings")


@dataclass(frozen=True, kw_only=True)
class LoRASettings:
    """Low-rank changes of an encoder's matrices.

    Attributes:
        rank: Of each change.
        alpha: A change counts `alpha / rank` times.
        dropout: Share of the inputs of a change that training hides; none for the matrices of
            recurrent cells.

    Source: Hu et al. 2021, section 4.1.
    """

    rank: int = 8
    alpha: float = 16.0
    dropout: float = 0.0

    def __post_init__(self) -> None:
        check_range("rank", self.rank, self.rank >= 1, "1 or more")
        check_range("alpha", self.alpha, self.alpha > 0, "above 0")
        check_range("dropout", self.dropout, 0 <= self.dropout < 1, "0 to below 1")


@dataclass(frozen=True, kw_only=True)
class EncoderSettings:
    """Which states the head reads, and whether the encoder is trained with it.

    Attributes:
        model: Name of a bundled model, a model folder, `one-hot-protein` or `one-hot-dna`.
        layers: Layers whose states are joined.
        first_residues: How much of the beginning of a sequence is read, for targets per sequence; 0
            for all.
        embeddings: Store with the states of all sequences, of another run for instance; empty to
            compute them into the run's folder.
        train: `none` leaves the encoder as it is, `full` trains all its weights, `lora` low-rank
            changes of its matrices.
        learning_rate: Highest rate of the encoder's weights; 0 for that of the head.
        mask_rate: Share of the residues that training hides from the encoder, anew in every step.
        lora: Shape of the changes.
        new: Config of an encoder that begins with random weights, in place of `model`, with
            `architecture`; the vocabulary size is filled in.
    """

    model: str = DEFAULT_MODEL
    layers: tuple[int, ...] = (-1,)
    first_residues: int = 0
    embeddings: str = ""
    train: Literal["none", "full", "lora"] = "none"
    learning_rate: float = 0.0
    mask_rate: float = 0.0
    lora: LoRASettings = field(default_factory=LoRASettings)
    new: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_range("first_residues", self.first_residues, self.first_residues >= 0, "0 or more")
        check_range("learning_rate", self.learning_rate, self.learning_rate >= 0, "0 or more")
        check_range("mask_rate", self.mask_rate, 0 <= self.mask_rate < 1, "0 to below 1")
        if self.is_trained and self.embeddings:
            raise OptionError("embeddings", self.embeddings, allowed="with a frozen encoder only")

    @property
    def is_trained(self) -> bool:
        """Whether the encoder changes, so that its states can't be kept."""
        return bool(self.new) or self.train != "none"


def read_encoder(values: Mapping[str, Any]) -> EncoderSettings:
    """Reads the table with the tables in it.

    Raises:
        OptionError: a field is unknown or has a value that is not allowed.
    """
    plain = {name: value for name, value in values.items() if name not in ("lora", "new")}
    new = values.get("new", {})
    if new:
        for name in _ELSEWHERE:
            if name in plain:
                raise OptionError(name, plain[name], allowed="not with [encoder.new]")
    settings = read_table("encoder", EncoderSettings, plain)
    if "lora" in values and settings.train != "lora":
        raise OptionError("[encoder] train", settings.train, allowed="lora with [encoder.lora]")
    for name in ("learning_rate", "mask_rate"):
        if getattr(settings, name) and not (new or settings.is_trained):
            field_name, allowed = f"[encoder] {name}", "0 for an encoder that is not trained"
            raise OptionError(field_name, getattr(settings, name), allowed=allowed)
    lora = read_table("encoder.lora", LoRASettings, values.get("lora", {}))
    return replace(settings, lora=lora, new=new)
