"""A predictor: heads on the states of one encoder, and what their outputs mean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from bioseq.batch import Layout
from bioseq.errors import OptionError
from bioseq.heads import Head, PairReadout, pairs_of
from bioseq.heads.pairs import PairPlaces
from bioseq.labels.target import Target, level_widths
from bioseq.prediction.tasks.outputs import interpret, split_outputs
from bioseq.prediction.tasks.typicality import Typicality
from bioseq.typing import Level


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
        targets: What the columns of the heads mean, level by level in this order.
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
        widths = level_widths(targets)
        if encoder.first_residues and widths.keys() != {"sequence"}:
            allowed = "0, or targets per sequence alone"
            raise OptionError("first_residues", encoder.first_residues, allowed=allowed)
        for head in heads:
            if head.config.outputs != widths:
                allowed = f"{widths}, the classes of all targets"
                raise OptionError("outputs", dict(head.config.outputs), allowed=allowed)
        self.task = task
        self.version = version
        self.encoder = encoder
        self.targets = targets
        self.heads = nn.ModuleList(heads)
        self.typicality = typicality
        self.digest = digest

    @property
    def reach(self) -> int | None:
        """Residues on either side that an output depends on; None for all."""
        return self._members()[0].reach

    @property
    def flops_per_token(self) -> float:
        """Multiply-adds times two for one residue."""
        weights = sum(p.numel() for p in self.heads.parameters() if p.dim() > 1)
        return 2.0 * weights - self.flops_per_pair

    @property
    def flops_per_pair(self) -> float:
        """Multiply-adds times two for one pair of residues."""
        return sum((readout.flops_per_pair for readout in self._pair_readouts()), 0.0)

    @property
    def pair_targets(self) -> list[Target]:
        """Those that are said of pairs."""
        return [target for target in self.targets if target.level == "pair"]

    def forward(
        self, states: Float[Tensor, "residues dim"], layout: Layout
    ) -> dict[str, Float[Tensor, "rows _"]]:
        """Gives the mean prediction of the members for each target but those of pairs, by name."""
        return self.rows(self.mix(states, layout), layout)

    def mix(
        self, states: Float[Tensor, "residues dim"], layout: Layout
    ) -> list[Float[Tensor, "residues _"]]:
        """Returns what the readouts of each member read."""
        return [head.mix(states, layout) for head in self._members()]

    def rows(
        self, mixed: Sequence[Float[Tensor, "residues _"]], layout: Layout
    ) -> dict[str, Float[Tensor, "rows _"]]:
        """Returns the mean prediction for each target per residue or per sequence, by name.

        Args:
            mixed: From `mix`.
            layout: Where each sequence lies.
        """
        levels: list[Level] = [level for level in level_widths(self.targets) if level != "pair"]
        outputs = [
            head.read(x, layout, levels) for head, x in zip(self._members(), mixed, strict=True)
        ]
        return self._interpret(outputs)

    def pairs(
        self, mixed: Sequence[Float[Tensor, "residues _"]]
    ) -> Iterator[tuple[PairPlaces, dict[str, Float[Tensor, "pairs 1"]]]]:
        """Yields the mean prediction for each target of pairs, by name, some pairs at a time.

        Args:
            mixed: One sequence's part of what `mix` gave.
        """
        readouts = self._pair_readouts()
        residues = [readout.project(x) for readout, x in zip(readouts, mixed, strict=True)]
        for pairs in pairs_of(len(mixed[0]), mixed[0].device):
            outputs: list[dict[Level, Tensor]] = [
                {"pair": readout.score(own, pairs)}
                for readout, own in zip(readouts, residues, strict=True)
            ]
            yield pairs, self._interpret(outputs)

    def _interpret(self, outputs: Sequence[Mapping[Level, Tensor]]) -> dict[str, Tensor]:
        """Turns the outputs of the members into one prediction for each target of their levels."""
        stacked: dict[Level, Tensor] = {
            level: torch.stack([found[level] for found in outputs]) for level in outputs[0]
        }
        targets = [target for target in self.targets if target.level in stacked]
        return {
            target.name: interpret(target, part).mean(dim=0)[..., -len(target.columns) :]
            for target, part in zip(targets, split_outputs(stacked, targets), strict=True)
        }

    def _members(self) -> list[Head]:
        return [head for head in self.heads if isinstance(head, Head)]

    def _pair_readouts(self) -> list[PairReadout]:
        return [head.pairs for head in self._members() if head.pairs is not None]
