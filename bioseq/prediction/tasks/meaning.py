"""What the values of a target mean, as attributes of the store's predictions.

Stores of before have no `features` and `grammar`: each residue has its most probable class there,
and no class is background.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

from bioseq.errors import OptionError
from bioseq.labels.grammar import Grammar
from bioseq.labels.target import Target, check_segments
from bioseq.store import Embedding

_Read = TypeVar("_Read")

_TYPICALITY = "typicality"
TYPICALITY_ATTRIBUTES: Mapping[str, object] = {"classes": [_TYPICALITY], "kind": _TYPICALITY}


def meaning_of(target: Target) -> dict[str, object]:
    """Returns the attributes of a target's predictions that say what they mean."""
    found: dict[str, object] = {"classes": list(target.columns), "kind": target.kind}
    if target.level == "pair":
        found["separation"] = target.separation
    if target.features is not None:
        found["features"] = dict(target.features)
    if target.grammar is not None:
        found["grammar"] = asdict(target.grammar)
    return found


def build_grammar(fields: Mapping[str, Any]) -> Grammar:
    """Builds a grammar of plain data, as JSON has it."""
    forbidden = tuple((before, behind) for before, behind in fields.get("forbidden", ()))
    return Grammar(shortest=tuple(fields["shortest"]), forbidden=forbidden)


def classes_of(view: Embedding) -> list[str]:
    """Returns the names of a target's columns."""
    found: Any = view.attrs["classes"]
    return list(found)


def kind_of(view: Embedding) -> str:
    """Returns a target's kind; numbers of every kind are a `value`."""
    kind = str(view.attrs.get("kind", "classes"))
    return "value" if kind == _TYPICALITY else kind


def is_typicality(view: Embedding) -> bool:
    """Returns whether values say how typical the inputs are; the kind of older ones is `value`."""
    return view.attrs.get("kind") == _TYPICALITY or view.attrs.get("classes") == [_TYPICALITY]


@dataclass(frozen=True, kw_only=True)
class Segmentation:
    """How the classes of residues are read as segments; see `Target`.

    Attributes:
        classes: Their names.
        features: Sequence Ontology terms of those that are features; None: no background.
        grammar: Which labels a sequence may have, if there are rules.
    """

    classes: list[str]
    features: Mapping[str, str] | None
    grammar: Grammar | None


def segmentation_of(view: Embedding) -> Segmentation:
    """Returns how a target with classes per residue is read.

    Raises:
        OptionError: the attributes do not fit the classes.
    """
    classes = classes_of(view)
    features = _read(view, "features", dict)
    grammar = _read(view, "grammar", build_grammar)
    check_segments(view.name, classes, features, grammar)
    return Segmentation(classes=classes, features=features, grammar=grammar)


def _read(view: Embedding, name: str, build: Callable[[Any], _Read]) -> _Read | None:
    text = view.attrs.get(name)
    if text is None:
        return None
    try:
        return build(json.loads(str(text)))
    except (ValueError, TypeError, KeyError) as error:
        allowed = "what bioseq writes, JSON text"
        what = f"{name} of {view.name}"
        raise OptionError(what, text, allowed=allowed) from error
