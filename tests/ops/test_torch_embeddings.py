"""PyTorch as the judge of embeddings in training: ten steps are equal to 1e-10 in float64."""

from typing import Any

import numpy as np
import pytest
from cases import Rng, random_inputs

import pymlp
from pymlp import Network
from pymlp.embeddings import Categories, Periodic, PiecewiseLinear

torch = pytest.importorskip("torch")

EMBEDDINGS: dict[str, Any] = {
    "periodic": Periodic(sigma=0.5),
    "some": [Periodic([2], frequencies=5, width=3), Periodic([0], sigma=1.0)],
    "categories": Categories({1: 6, 2: 3}, width=4),
    "piecewise linear": PiecewiseLinear({0: [-1, 0, 0.5, 2], 2: [-1, 0, 0.5, 2]}),
    "one ramp": PiecewiseLinear({1: [0.2, 0.9]}, width=3),
    "all": [PiecewiseLinear({0: [-2, -1, 1]}), Categories({1: 6}), Periodic([2])],
    "both": [Periodic([0, 2]), Categories({1: 6})],
}


def ramps(x: Any, boundaries: Any) -> Any:
    """(m, T) of x (m, 1), in the manner of rtdl_num_embeddings."""
    shares = (x - boundaries[:-1]) / (boundaries[1:] - boundaries[:-1])
    if shares.shape[1] == 1:
        return shares
    first, last = shares[:, :1].clamp_max(1), shares[:, -1:].clamp_min(0)
    return torch.cat([first, shares[:, 1:-1].clamp(0, 1), last], dim=1)


def embedded(X: Any, columns: dict[int, dict[str, Any]], boundaries: dict[int, Any]) -> Any:
    parts = []
    for i in range(X.shape[1]):
        x, column = X[:, i : i + 1], columns.get(i)
        if column is None:
            parts.append(x)
        elif "table" in column:
            parts.append(column["table"][x[:, 0].long()])
        elif i in boundaries:
            parts += [x, ramps(x, boundaries[i]) @ column["weights"] + column["biases"]]
        else:
            waves = torch.cos(2 * torch.pi * x * column["frequencies"] + column["phases"])
            parts += [x, waves @ column["weights"] + column["biases"]]
    return torch.cat(parts, dim=1)


@pytest.mark.parametrize("name", EMBEDDINGS)
def test_ten_steps_are_those_of_torch(name: str, rng: Rng) -> None:
    net = Network([3, 7, 2], embedding=EMBEDDINGS[name], hidden="tanh", dtype="float64", seed=1)
    X, Y = random_inputs(rng, 40, net), rng.standard_normal((40, 2))

    def learnt(array: Any) -> Any:
        return torch.tensor(array.tolist(), dtype=torch.float64, requires_grad=True)

    columns = {
        i: {key: learnt(array) for key, array in views.items()}
        for i, views in net.embedding_parameters.items()
    }
    boundaries = {
        column: torch.tensor(numbers, dtype=torch.float64)
        for one in net.embedding
        for column, numbers in getattr(one, "boundaries", ())
    }
    layers = [(learnt(layer.weights), learnt(layer.biases)) for layer in net.layers]
    tensors = [t for views in columns.values() for t in views.values()]
    tensors += [t for pair in layers for t in pair]
    rule = torch.optim.AdamW(tensors, lr=0.01, eps=1e-4, weight_decay=0.1)
    x, y = (torch.tensor(array.tolist(), dtype=torch.float64) for array in (X, Y))
    for first in range(0, 40, 8):
        rows = slice(first, first + 8)
        for _ in range(2):
            rule.zero_grad()
            (w1, b1), (w2, b2) = layers
            outputs = torch.tanh(embedded(x[rows], columns, boundaries) @ w1 + b1) @ w2 + b2
            ((outputs - y[rows]) ** 2).mean().backward()
            rule.step()
    optimizer = pymlp.AdamW(0.01, epsilon=1e-4, weight_decay=0.1)
    for first in range(0, 40, 8):
        for _ in range(2):
            net.train_batch(X[first : first + 8], Y[first : first + 8], optimizer=optimizer)
    expected = np.concatenate([t.detach().numpy().ravel() for t in tensors])
    assert np.abs(net.parameters - expected).max() < 1e-10 * np.abs(expected).max()
