"""The multiplicative LSTM against the paper's equations, one number at a time."""

from __future__ import annotations

import numpy as np
import torch

from bioseq.nn.multiplicative_lstm import MultiplicativeLSTM


def _sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def _run_by_equations(layer: MultiplicativeLSTM, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Krause et al. 2016, equations 16 to 21, for one sequence."""
    w = {name: tensor.double().numpy() for name, tensor in layer.state_dict().items()}
    size = layer.hidden_dim
    hidden, cell, states = np.zeros(size), np.zeros(size), []
    for step in x:
        m = (w["input_factor.weight"] @ step) * (w["hidden_factor.weight"] @ hidden)
        z = w["input_gates.weight"] @ step + w["hidden_gates.weight"] @ m + w["input_gates.bias"]
        i, f, o, u = z[:size], z[size : 2 * size], z[2 * size : 3 * size], z[3 * size :]
        cell = _sigmoid(f) * cell + _sigmoid(i) * np.tanh(u)
        hidden = _sigmoid(o) * np.tanh(cell)
        states.append(hidden)
    return np.stack(states), cell


@torch.no_grad()
def test_the_layer_follows_the_equations() -> None:
    torch.manual_seed(0)
    layer = MultiplicativeLSTM(5, 4)
    for parameter in layer.parameters():
        parameter.mul_(3)
    x = torch.randn(9, 2, 5)
    states, (hidden, cell) = layer(x)
    for n in range(2):
        expected, last_cell = _run_by_equations(layer, x[:, n].double().numpy())
        np.testing.assert_allclose(states[:, n].numpy(), expected, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(hidden[0, n].numpy(), expected[-1], rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(cell[0, n].numpy(), last_cell, rtol=1e-5, atol=1e-6)


@torch.no_grad()
def test_a_state_given_back_goes_on() -> None:
    layer = MultiplicativeLSTM(5, 4)
    x = torch.randn(9, 2, 5)
    whole, _ = layer(x)
    first, state = layer(x[:4])
    rest, _ = layer(x[4:], state)
    torch.testing.assert_close(torch.cat([first, rest]), whole)
