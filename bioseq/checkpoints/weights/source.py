"""Named tensors on disk: names first, tensors when asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from torch import Tensor

from bioseq.errors import CheckpointError


@dataclass(frozen=True, kw_only=True)
class Weights:
    """An open weights file, or several that belong together.

    Attributes:
        path: The file, or the first of several; for errors.
        names: Of all tensors.
        read: Gives the tensor of a name; memory-mapped where the format permits.
        metadata: What the file says beside the tensors, such as fair-esm's `args`.
    """

    path: Path
    names: frozenset[str]
    read: Callable[[str], Tensor]
    metadata: Mapping[str, Any] = field(default_factory=dict)

    def renamed(self, rename: Callable[[str], str]) -> Weights:
        """Returns the same tensors under other names.

        Raises:
            CheckpointError: two tensors would get the same name.
        """
        original: dict[str, str] = {}
        for name in sorted(self.names):
            new = rename(name)
            if new in original:
                raise CheckpointError(self.path, f"{original[new]} and {name} are both {new}")
            original[new] = name
        return Weights(
            path=self.path,
            names=frozenset(original),
            read=lambda name: self.read(original[name]),
            metadata=self.metadata,
        )


def replace_part(main: Weights, part: Weights, *, mark: str) -> Weights:
    """Returns the tensors of a file, those of one of its parts taken from another file.

    Args:
        main: The file.
        part: The file of the part; what it says beside the tensors is left out.
        mark: Begins the names of the part's tensors, behind a prefix that the files may spell
            differently.
    """
    others = {name for name in main.names if _own_name(name, mark) is None}
    replaced = {_own_name(name, mark) for name in part.names}
    kept = others | {name for name in main.names if _own_name(name, mark) not in replaced}
    own = replace(main, names=frozenset(kept))
    return replace(join_weights([own, part]), metadata=main.metadata)


def _own_name(name: str, mark: str) -> str | None:
    return name[name.index(mark) :] if mark in name else None


def join_weights(parts: Sequence[Weights]) -> Weights:
    """Joins the tensors of several files.

    Raises:
        CheckpointError: two files hold a tensor of the same name.
    """
    owners: dict[str, Weights] = {}
    for part in parts:
        for name in part.names:
            if name in owners:
                raise CheckpointError(part.path, f"holds {name}, as does {owners[name].path}")
            owners[name] = part
    return Weights(
        path=parts[0].path,
        names=frozenset(owners),
        read=lambda name: owners[name].read(name),
        metadata={key: value for part in parts for key, value in part.metadata.items()},
    )
