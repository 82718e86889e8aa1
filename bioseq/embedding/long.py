"""One output of one long sequence, put together from the chunks it is encoded in."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from bioseq.embedding.outputs import Output
from bioseq.embedding.pooling import POOLINGS, RunningPool
from bioseq.runs import ValueBuffer, is_one_to_one, to_residues
from bioseq.tokenizer import Tokenizer


class LongSequence:
    """Takes the chunks' states as they come, and keeps no more of them than it must.

    Args:
        output: What is wanted.
        index: Place of the sequence in the table.
        sequence: Its residues.
        num_tokens: Its tokens, specials included.
        tokenizer: The model's.
        table: Where the values go.
    """

    def __init__(
        self,
        output: Output,
        *,
        index: int,
        sequence: str,
        num_tokens: int,
        tokenizer: Tokenizer,
        table: ValueBuffer,
    ) -> None:
        self._output = output
        self._index = index
        self._sequence = sequence
        self._tokenizer = tokenizer
        self._table = table
        self._start = len(tokenizer.prefix)
        self._end = num_tokens - len(tokenizer.suffix)
        self._pool = RunningPool()
        self._tiles: list[Tensor] = []

    def add(
        self,
        states: Float[Tensor, "tokens dim"],
        start: int,
        cell: Float[Tensor, " hidden"] | None = None,
    ) -> None:
        """Takes the states of the tokens from `start` on, and the cell state behind them."""
        first = max(0, self._start - start)
        content = states[first : max(0, self._end - start)]
        if not self._output.per_residue:
            read = {
                "residues": content,
                "tokens": states,
                "first": states[: 1 if start == 0 else 0],
                "cells": states[:0] if cell is None else cell[None],
            }
            self._pool.add(read[POOLINGS[self._output.pooling].reads])
        elif is_one_to_one(self._tokenizer):
            place = start + first - self._start
            self._table.put_residues(self._output.name, self._index, content, start=place)
        else:
            self._tiles.append(content.cpu())

    def finish(self) -> None:
        """Puts what could not be put before all chunks were there."""
        if not self._output.per_residue:
            vector = POOLINGS[self._output.pooling].running(self._pool).float()
            self._table.put_vectors(self._output.name, np.array([self._index]), vector[None])
        elif self._tiles:
            states = to_residues(torch.cat(self._tiles), self._tokenizer, self._sequence)
            self._table.put_residues(self._output.name, self._index, states)
