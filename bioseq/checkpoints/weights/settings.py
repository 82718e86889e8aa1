"""Settings that programs pickle beside their tensors, read as plain data.

Only the classes named here are ever made, each a record that runs nothing. In place of OmegaConf's
stand records of our own, so that the package is not needed.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from typing import Any


class _Container:
    """Takes the state of a `DictConfig` or a `ListConfig`."""

    _content: Any


class _Node:
    """Takes the state of a value."""

    _val: Any


class _Other:
    """Takes what says nothing of the settings."""


HARMLESS: tuple[Any, ...] = (
    argparse.Namespace,
    *(dict, list, int, defaultdict),
    (_Container, "omegaconf.dictconfig.DictConfig"),
    (_Container, "omegaconf.listconfig.ListConfig"),
    *(
        (_Node, f"omegaconf.nodes.{kind}")
        for kind in ("AnyNode", "StringNode", "IntegerNode", "FloatNode", "BooleanNode")
    ),
    (_Other, "omegaconf.base.Metadata"),
    (_Other, "omegaconf.base.ContainerMetadata"),
    (_Other, "typing.Any"),
)
"""Classes that may be made, some under the name of another."""


def to_plain(value: Any) -> Any:
    """Turns records into dictionaries, lists and values; leaves what is plain as it is."""
    if isinstance(value, _Container):
        return to_plain(vars(value).get("_content"))
    if isinstance(value, _Node):
        return vars(value).get("_val")
    if isinstance(value, dict):
        return {key: to_plain(part) for key, part in value.items()}
    if isinstance(value, list):
        return [to_plain(part) for part in value]
    return value
