"""The multiplicative LSTM layer."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn


class MultiplicativeLSTM(nn.Module):
    """An LSTM whose recurrent input is an input-dependent transformation of the state.

    m_t = (W_mx x_t) * (W_mh h_(t-1)); the gates i, f, o and the candidate u are linear in x_t and
    m_t. Called as `torch.nn.LSTM` is.

    Args:
        input_dim: Width of the input.
        hidden_dim: Width of hidden and cell state.

    Source: Krause et al. 2016, equations 16-21; Alley et al. 2019 (UniRep).
    """

    def __init__(self, input_dim: int, hidden_dim: int) -> None:
        super().__init__()
        self.hidden_dim = hidden_dim
        self.input_gates = nn.Linear(input_dim, 4 * hidden_dim)
        self.input_factor = nn.Linear(input_dim, hidden_dim, bias=False)
        self.hidden_gates = nn.Linear(hidden_dim, 4 * hidden_dim, bias=False)
        self.hidden_factor = nn.Linear(hidden_dim, hidden_dim, bias=False)

    def forward(
        self,
        x: Float[Tensor, "steps segments input"],
        state: tuple[Tensor, Tensor] | None = None,
        mask: Bool[Tensor, "steps segments"] | None = None,
    ) -> tuple[Float[Tensor, "steps segments hidden"], tuple[Tensor, Tensor]]:
        """Runs over a block of sequences.

        Args:
            x: Inputs.
            state: Hidden and cell state `[1, segments, hidden]`; zero where not given.
            mask: True for a sequence's own steps; behind them its state stays. None: all are.

        Returns:
            The hidden states of every step, and the last hidden and cell state.
        """
        zeros = x.new_zeros(x.shape[1], self.hidden_dim)
        hidden, cell = (zeros, zeros) if state is None else (state[0][0], state[1][0])
        outputs: list[Tensor] = []
        steps = zip(self.input_gates(x), self.input_factor(x), strict=True)
        for number, (gate, factor) in enumerate(steps):
            new = self._step(gate, factor, hidden, cell)
            if mask is not None:
                own = mask[number, :, None]
                new = torch.where(own, new[0], hidden), torch.where(own, new[1], cell)
            hidden, cell = new
            outputs.append(hidden)
        return torch.stack(outputs), (hidden[None], cell[None])

    def _step(
        self,
        gate: Float[Tensor, "segments gates"],
        factor: Float[Tensor, "segments hidden"],
        hidden: Float[Tensor, "segments hidden"],
        cell: Float[Tensor, "segments hidden"],
    ) -> tuple[Float[Tensor, "segments hidden"], Float[Tensor, "segments hidden"]]:
        gate = gate + self.hidden_gates(factor * self.hidden_factor(hidden))
        i, f, o, u = gate.chunk(4, dim=-1)
        cell = f.sigmoid() * cell + i.sigmoid() * u.tanh()
        return o.sigmoid() * cell.tanh(), cell
