"""Files that keep all blocks of a stack in one array, as one tensor for each block."""

from __future__ import annotations

from collections.abc import Collection

from bioseq.checkpoints.weights import Weights


def unstack(weights: Weights, scopes: Collection[str]) -> Weights:
    """Returns the blocks of stacked arrays, named `name[0]`, `name[1]` and so on.

    Args:
        weights: The file; its stacked arrays are read at once.
        scopes: Beginnings of the names of stacked arrays; the others stay as they are.
    """
    stacked = {name for name in weights.names if name.startswith(tuple(scopes))}
    blocks = {
        f"{name}[{number}]": block
        for name in stacked
        for number, block in enumerate(weights.read(name))
    }
    return Weights(
        path=weights.path,
        names=frozenset((weights.names - stacked) | blocks.keys()),
        read=lambda name: blocks[name] if name in blocks else weights.read(name),
        metadata=weights.metadata,
    )
