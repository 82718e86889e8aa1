"""One recurrent layer read in one direction over packed segments, in one pass or chunk by chunk."""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn

from bioseq.batch import Layout
from bioseq.nn.multiplicative_lstm import MultiplicativeLSTM

Cell = Literal["rnn", "lstm", "gru", "mlstm"]
State = Tensor | tuple[Tensor, Tensor]

_CELLS: dict[Cell, type[nn.Module]] = {
    "rnn": nn.RNN,
    "lstm": nn.LSTM,
    "gru": nn.GRU,
    "mlstm": MultiplicativeLSTM,
}


def _lacks_mixed_precision(x: Tensor) -> bool:
    """Whether autocast would ask for a kernel that processors without AVX-512 do not have."""
    wide = torch.backends.cpu.get_cpu_capability().startswith("AVX512")
    return x.is_cpu and torch.is_autocast_enabled("cpu") and not wide


def _scatter(
    places: Int64[Tensor, " rows"], rows: Float[Tensor, "rows hidden"]
) -> Float[Tensor, "rows hidden"]:
    """Puts each row in its place; every place is filled once."""
    return torch.empty_like(rows).index_copy(0, places, rows)


class Recurrence(nn.Module):
    """A layer of recurrent cells: h_t = f(W x_t + U h_(t-1)), from either end.

    Segments run in dense blocks of similar length, since step-by-step kernels are fastest there.

    Args:
        cell: Elman RNN (tanh), LSTM, GRU or multiplicative LSTM.
        input_dim: Width of the input.
        hidden_dim: Width of the state.
        backward: Read every segment from its end; a chunk then continues with the one behind it.

    Source: Elman 1990; Hochreiter & Schmidhuber 1997; Cho et al. 2014; Krause et al. 2016.
    """

    def __init__(self, cell: Cell, input_dim: int, hidden_dim: int, *, backward: bool) -> None:
        super().__init__()
        self.backward = backward
        self.hidden_dim = hidden_dim
        self.has_cells = cell == "mlstm"
        self.cell = _CELLS[cell](input_dim, hidden_dim)

    def forward(
        self, x: Float[Tensor, "tokens dim"], layout: Layout
    ) -> Float[Tensor, "tokens hidden"]:
        """Runs over every segment of a batch, each from a zero state."""
        return self.forward_with_cells(x, layout)[0]

    def forward_with_cells(
        self, x: Float[Tensor, "tokens dim"], layout: Layout
    ) -> tuple[Float[Tensor, "tokens hidden"], Float[Tensor, "segments hidden"] | None]:
        """Also gives each segment's last cell state; None unless the cell is a multiplicative LSTM.

        torch's own LSTM tells it at the end of a block only, when shorter segments have gone on.
        """
        places, states, cells = [], [], []
        for block in layout.blocks:
            steps = block.backward if self.backward else block.forward
            out, last = self._run(x[steps], None, block.mask)
            places.append(steps[block.mask])
            states.append(out[block.mask])
            if self.has_cells:
                cells.append(last[1][0])
        hidden = _scatter(torch.cat(places), torch.cat(states))
        if not self.has_cells:
            return hidden, None
        members = torch.cat([block.members for block in layout.blocks])
        return hidden, _scatter(members, torch.cat(cells))

    def advance(
        self, x: Float[Tensor, "tokens dim"], state: State | None
    ) -> tuple[Float[Tensor, "tokens hidden"], State]:
        """Runs over the next chunk of one sequence, from the state that the last chunk left.

        Args:
            x: The chunk in reading order of the sequence, also for a backward layer.
            state: What the previous call gave; None at the sequence's first (last) chunk.

        Returns:
            The chunk's states in reading order, and the state to go on with.
        """
        ordered = x.flip(0) if self.backward else x
        out, last = self._run(ordered[:, None], state)
        return (out[:, 0].flip(0) if self.backward else out[:, 0]), last

    def _run(
        self,
        x: Float[Tensor, "steps segments dim"],
        state: State | None,
        mask: Bool[Tensor, "steps segments"] | None = None,
    ) -> tuple[Float[Tensor, "steps segments hidden"], State]:
        if self.has_cells:
            return self.cell(x, state, mask)
        if _lacks_mixed_precision(x):
            with torch.autocast("cpu", enabled=False):
                return self.cell(x.float(), state)
        return self.cell(x, state)
