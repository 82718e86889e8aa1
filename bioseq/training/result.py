"""What every finished run of a training gives."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class RunResult:
    """What a finished run gave.

    Attributes:
        folder: The folder of what was trained.
        parameters: Weights of what was trained.
        train_sequences: Sequences fitted on.
        valid_sequences: Sequences held out, by which the fitting was watched.
        test_sequences: Sequences held out from both.
        leaks: Held-out sequences that resemble a training sequence.
    """

    folder: str
    parameters: int
    train_sequences: int
    valid_sequences: int
    test_sequences: int
    leaks: int
