"""Targets: what a predictor predicts, at which level, with which classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

from bioseq.errors import OptionError
from bioseq.labels.grammar import Grammar
from bioseq.typing import Level

TargetKind = Literal["classes", "labels", "value"]


@dataclass(frozen=True, kw_only=True)
class Target:
    """One thing that a predictor says.

    Attributes:
        name: Name in the store: `/predictions/<name>`.
        level: Said of each `residue`, of each `sequence`, or of each `pair` of residues.
        kind: `classes`, of which one holds; `labels`, of which any number hold; `value`, a number.
        classes: Their names, in the order of the columns; the name of the one number of a value. Of
            the two classes of pairs, the second is what is predicted.
        temperature: What logits are divided by, so that probabilities are frequencies.
        center: Of a value: what 0 stands for.
        scale: Of a value: what 1 stands for.
        separation: Of pairs: how far apart in the sequence the two residues are at least.
        features: Of classes per residue: the Sequence Ontology term of each class that is a
            feature; the others are background. None: every class is a `polypeptide_region`.
        grammar: Of classes per residue: which labels a sequence may have. None: each residue has
            its most probable class.

    Raises:
        OptionError: a field has a value that is not allowed.
    """

    name: str
    level: Level
    kind: TargetKind
    classes: tuple[str, ...]
    temperature: float = 1.0
    center: float = 0.0
    scale: float = 1.0
    separation: int = 1
    features: Mapping[str, str] | None = field(default=None, hash=False)
    grammar: Grammar | None = None

    def __post_init__(self) -> None:
        if self.kind not in get_args(TargetKind):
            raise OptionError("target kind", self.kind, allowed=get_args(TargetKind))
        check_pairs(self.level, self.kind, self.classes)
        least = {"classes": 2, "labels": 1, "value": 1}[self.kind]
        most = 1 if self.kind == "value" else len(self.classes)
        if not least <= len(self.classes) <= most or len(set(self.classes)) < len(self.classes):
            allowed = f"{least} or more different names for {self.kind}; one for a value"
            what = f"classes of {self.name}"
            raise OptionError(what, list(self.classes), allowed=allowed)
        for name in ("temperature", "scale"):
            if not getattr(self, name) > 0:
                what = f"{name} of {self.name}"
                raise OptionError(what, getattr(self, name), allowed="above 0")
        self._check_segments()

    def _check_segments(self) -> None:
        """Refuses features and a grammar that do not fit the classes."""
        for name in ("features", "grammar"):
            if getattr(self, name) is not None and (self.level, self.kind) != (
                "residue",
                "classes",
            ):
                given = f"{self.kind} per {self.level}"
                what = f"{name} of {self.name}"
                raise OptionError(what, given, allowed="classes per residue")
        check_segments(self.name, self.classes, self.features, self.grammar)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns that are predicted: of pairs, the second class alone."""
        return self.classes[-1:] if self.level == "pair" else self.classes

    @property
    def width(self) -> int:
        """Columns of the head that it takes."""
        return len(self.classes)


def check_pairs(level: Level, kind: TargetKind, classes: Sequence[str]) -> None:
    """Refuses what can't be said of a pair.

    Raises:
        OptionError: the kind is `labels`, or there are not two classes.
    """
    if level == "pair" and kind != "value" and (kind, len(classes)) != ("classes", 2):
        allowed = "a value, or two classes, the second for the pairs that are listed"
        raise OptionError("pairs", f"{kind} {list(classes)}", allowed=allowed)


def check_segments(
    name: str,
    classes: Sequence[str],
    features: Mapping[str, str] | None,
    grammar: Grammar | None,
) -> None:
    """Refuses features and a grammar that do not fit the classes.

    Raises:
        OptionError: a feature is no class, or the grammar has another number of classes.
    """
    unknown = [label for label in features or () if label not in classes]
    if unknown:
        what = f"features of {name}"
        raise OptionError(what, unknown, allowed=classes)
    if grammar is None:
        return
    count = len(classes)
    if len(grammar.shortest) != count:
        allowed = f"a length for each of its {count} classes"
        what = f"shortest of {name}"
        raise OptionError(what, list(grammar.shortest), allowed=allowed)
    for pair in grammar.forbidden:
        if len(pair) != 2 or not set(pair) <= set(range(count)):
            allowed = f"pairs of classes, numbered 0 to {count - 1}"
            what = f"forbidden of {name}"
            raise OptionError(what, list(pair), allowed=allowed)


def level_widths(targets: Sequence[Target]) -> dict[Level, int]:
    """Returns how many outputs of each level some targets need."""
    widths: dict[Level, int] = {}
    for target in targets:
        widths[target.level] = widths.get(target.level, 0) + target.width
    return widths
