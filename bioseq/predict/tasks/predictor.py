"""A predictor: heads on the states of one encoder, and what their outputs mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from bioseq.batch import Layout
from bioseq.errors import OptionError
from bioseq.heads import Head
from bioseq.predict.tasks.target import Target
from bioseq.predict.tasks.typicality import Typicality


@dataclass(frozen=True, kw_only=True)
class EncoderReference:
    """Which states a predictor reads.

    Attributes:
        model: Name of a bundled model, a model folder, or `one-hot-protein`, `one-hot-dna`; in a
            predictor folder also `encoder`, for the encoder that it holds itself.
        weights_sha256: Digest of the weights it was trained with; empty for one-hot.
        layers: Layers whose states are joined, as numbers from 0, in rising order.
        first_residues: How much of the beginning of a sequence is read; 0 for all.
    """

    model: str
    weights_sha256: str
    layers: tuple[int, ...]
    first_residues: int = 0


class Predictor(nn.Module):
    """Heads of one shape whose predictions are averaged.

    Attributes:
        task: What it predicts.
        version: Of its training.
        encoder: The states that it reads.
        targets: What the columns of the heads mean, in order; all of one level.
        heads: The members of the ensemble.
        typicality: Compares an input with the training sequences.
        digest: sha256 of its weights and its config; empty before it is saved.
    """

    def __init__(
        self,
        *,
        task: str,
        version: str,
        encoder: EncoderReference,
        targets: tuple[Target, ...],
        heads: list[Head],
        typicality: Typicality,
        digest: str = "",
    ) -> None:
        super().__init__()
        levels = {target.level for target in targets}
        if len(levels) != 1:
            raise OptionError("levels of the targets", sorted(levels), allowed="one level for all")
        if encoder.first_residues and levels == {"residue"}:
            raise OptionError("first_residues", encoder.first_residues, allowed="0 per residue")
        width = sum(target.width for target in targets)
        for head in heads:
            if head.config.output_dim != width:
                allowed = f"{width}, the classes of all targets"
                raise OptionError("output_dim", head.config.output_dim, allowed=allowed)
        self.task = task
        self.version = version
        self.encoder = encoder
        self.targets = targets
        self.heads = nn.ModuleList(heads)
        self.typicality = typicality
        self.digest = digest

    @property
    def per_residue(self) -> bool:
        """Whether it gives a row for every residue."""
        return self.targets[0].level == "residue"

    @property
    def reach(self) -> int | None:
        """Residues on either side that an output depends on; None for all."""
        return self._members()[0].reach

    @property
    def flops_per_token(self) -> float:
        """Multiply-adds times two for one residue."""
        return 2.0 * sum(p.numel() for p in self.heads.parameters() if p.dim() > 1)

    def forward(
        self, states: Float[Tensor, "residues dim"], layout: Layout
    ) -> dict[str, Float[Tensor, "rows _"]]:
        """Gives the mean prediction of the members for each target, by name."""
        outputs = [head(states, layout) for head in self._members()]
        return self.interpret(torch.stack(outputs))

    def interpret(
        self, outputs: Float[Tensor, "members rows width"]
    ) -> dict[str, Float[Tensor, "rows _"]]:
        """Turns the outputs of the members into one prediction for each target."""
        parts = outputs.split([target.width for target in self.targets], dim=-1)
        return {
            target.name: target.interpret(part).mean(dim=0)
            for target, part in zip(self.targets, parts, strict=True)
        }

    def _members(self) -> list[Head]:
        return [head for head in self.heads if isinstance(head, Head)]


def target_widths(predictors: Mapping[str, Predictor]) -> dict[str, int]:
    """Gives the number of classes of every target of some predictors."""
    return {t.name: t.width for predictor in predictors.values() for t in predictor.targets}
