"""The shapes of foreign tensors, from which the shape of a model is read."""

from __future__ import annotations

from bioseq.checkpoints.weights import Weights
from bioseq.errors import CheckpointError


class Shapes:
    """Shapes by name.

    Args:
        weights: The file; a tensor is read when its shape is asked for.
    """

    def __init__(self, weights: Weights) -> None:
        self._weights = weights

    def __contains__(self, name: str) -> bool:
        return name in self._weights.names

    def __getitem__(self, name: str) -> tuple[int, ...]:
        """Returns the shape of a tensor.

        Raises:
            CheckpointError: there is none of this name.
        """
        if name not in self:
            problem = "can't tell the model's shape"
            raise CheckpointError(self._weights.path, problem, missing=(name,))
        return tuple(self._weights.read(name).shape)

    def count_blocks(self, stack: str) -> int:
        """Returns the number of blocks whose tensors are named `stack.0...`, `stack.1...`."""
        prefix = f"{stack}."
        names = (n.removeprefix(prefix) for n in self._weights.names if n.startswith(prefix))
        return len({name.partition(".")[0] for name in names})
