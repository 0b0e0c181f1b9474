"""PyTorch, which knows nothing of this library, as the judge of gradients and of optimisers.

Differences are taken relative to the largest entry of each named gradient. An entry on its own may
be what is left of large terms that cancel, in both libraries alike, and then neither has its
digits. A gradient that is 0 but for rounding, such as that through a softmax of one unit, has no
size of its own: no gradient counts as smaller than a thousandth of the largest of its network.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from cases import (
    ACTIVATIONS,
    PAIRS,
    FloatArray,
    Rng,
    inputs_off_kinks,
    parameters_of,
    random_inputs,
    random_labels,
    random_network,
    random_targets,
    random_widths,
)

import pymlp
from pymlp import Activation, Network

torch = pytest.importorskip("torch")
functional = torch.nn.functional

NETWORKS = 200
TOLERANCE = {"float64": 1e-9, "float32": 1e-4}


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Keep PyTorch from starting threads for products this small."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


# ---- the same network in PyTorch -----------------------------------------------------------------
def activation(g: Activation, z: Any, dtype: Any) -> Any:
    p = parameters_of(g, dtype)
    forms = {
        "linear": lambda: z,
        "step": lambda: (z > p["threshold"]).to(z.dtype) + 0.0 * z,
        "sigmoid": lambda: torch.sigmoid(z),
        "softmax": lambda: torch.softmax(z, dim=1),
        "tanh": lambda: torch.tanh(z),
        "relu": lambda: torch.relu(z),
        "leaky_relu": lambda: torch.where(z > p["threshold"], z, p["slope"] * z),
        "elu": lambda: functional.elu(z, alpha=p["alpha"]),
    }
    return forms[g.name]()


def mean_loss(loss: str, a: Any, y: Any, dtype: Any) -> Any:
    """Return the mean over samples, targets being (m, k); log 0 is that of the smallest number."""
    if loss == "mse":
        return functional.mse_loss(a, y)
    tiny = float(np.finfo(dtype).tiny)
    log_a, log_rest = torch.log(a.clamp(min=tiny)), torch.log((1 - a).clamp(min=tiny))
    if loss == "cross_entropy":
        return -(y * log_a).sum(dim=1).mean()
    return -(y * log_a + (1 - y) * log_rest).mean()


def forward(net: Network, parameters: list[Any], X: Any) -> Any:
    a, left = X, iter(parameters)
    for layer in net.layers:
        a = activation(layer.activation, a @ next(left) + next(left), net.dtype)
    return a


def tensors(net: Network) -> list[Any]:
    """Return weights and biases, layer by layer, as doubles that keep their gradients."""
    arrays = [p for layer in net.layers for p in (layer.weights, layer.biases)]
    return [torch.tensor(p.astype(np.float64), requires_grad=True) for p in arrays]


# ---- gradients -----------------------------------------------------------------------------------
class Case:
    """One of the random networks, with samples. Float32 is judged in double."""

    def __init__(self, number: int, dtype: str) -> None:
        rng = np.random.default_rng(number)
        layers = 1 + number % 5
        output, self.loss = PAIRS[number % len(PAIRS)]
        # The hidden activations follow each other, so that each comes to every place.
        hidden = [ACTIVATIONS[(number // 5 + 3 * i) % len(ACTIVATIONS)] for i in range(layers - 1)]
        self.net = random_network(
            rng, random_widths(rng, layers, 40), hidden=hidden, output=output, dtype=dtype
        )
        m, k = int(rng.integers(1, 66)), self.net.widths[-1]
        self.X = inputs_off_kinks(rng, m, self.net)
        self.dY = rng.normal(size=(m, k)).astype(dtype)
        labelled = self.loss == "cross_entropy" and bool(rng.integers(2))
        self.y = (
            random_labels(rng, m, k) if labelled else random_targets(rng, m, k, self.loss, dtype)
        )
        self.Y = np.eye(k)[self.y] if labelled else self.y

    def judge(self, of_output: bool) -> tuple[float, list[FloatArray], FloatArray]:
        """Return J, its gradients by parameters and by X, for the loss or for sum(dY * output)."""
        parameters = tensors(self.net)
        X = torch.tensor(self.X.astype(np.float64), requires_grad=True)
        A = forward(self.net, parameters, X)
        if of_output:
            J = (A * torch.tensor(self.dY.astype(np.float64))).sum()
        else:
            Y = torch.tensor(self.Y.astype(np.float64))
            J = mean_loss(self.loss, A, Y, self.net.dtype)
        J.backward()
        return J.item(), [p.grad.numpy() for p in parameters], X.grad.numpy()


def relative_errors(actual: list[FloatArray], expected: list[FloatArray]) -> Iterator[float]:
    largest = max(float(np.abs(g).max()) for g in expected)
    for got, wanted in zip(actual, expected, strict=True):
        size = max(float(np.abs(wanted).max()), 1e-3 * largest)
        yield float(np.abs(got - wanted).max()) / size if size else float(np.abs(got).max())


def named(grads: pymlp.Gradients) -> list[FloatArray]:
    return [g for pair in zip(grads.weights, grads.biases, strict=True) for g in pair]


@pytest.mark.parametrize("number", range(NETWORKS))
def test_gradients_of_random_networks(number: int, dtype: str) -> None:
    case = Case(number, dtype)
    J, grads = case.net.gradients(case.X, case.y, loss=case.loss)
    expected_J, expected, _ = case.judge(of_output=False)
    assert pytest.approx(expected_J, rel=TOLERANCE[dtype]) == J
    assert max(relative_errors(named(grads), expected)) < TOLERANCE[dtype]
    pulled, dX = case.net.vjp(case.X, case.dY)
    _, expected, expected_dX = case.judge(of_output=True)
    errors = relative_errors([*named(pulled), dX], [*expected, expected_dX])
    assert max(errors) < TOLERANCE[dtype]


def test_random_networks_have_every_activation_in_every_place() -> None:
    places: set[tuple[str, Activation]] = set()
    kinds = set()
    for number in range(NETWORKS):
        case = Case(number, "float64")
        first, *later = [layer.activation for layer in case.net.layers]
        if later:
            places |= {("first", first), ("last", later[-1]), *(("between", g) for g in later[:-1])}
        else:
            places.add(("only", first))
        kinds.add((case.net.layers[-1].activation, case.loss))
        assert 1 <= len(case.net.layers) <= 5
        assert 1 <= len(case.X) <= 65
    for place in ("first", "between", "last"):
        assert {g for where, g in places if where == place} == set(ACTIVATIONS)
    assert kinds == set(PAIRS)


# ---- optimisers ----------------------------------------------------------------------------------
OPTIMIZERS = {
    "sgd": (pymlp.SGD(0.1), torch.optim.SGD, {"lr": 0.1}),
    "momentum": (
        pymlp.SGD(0.05, momentum=0.9), torch.optim.SGD, {"lr": 0.05, "momentum": 0.9},
    ),
    "nesterov": (
        pymlp.SGD(0.05, momentum=0.9, nesterov=True), torch.optim.SGD,
        {"lr": 0.05, "momentum": 0.9, "nesterov": True},
    ),
    "rmsprop": (
        pymlp.RMSProp(0.01, beta=0.95, epsilon=1e-6), torch.optim.RMSprop,
        {"lr": 0.01, "alpha": 0.95, "eps": 1e-6},
    ),
    "rmsprop momentum": (
        pymlp.RMSProp(0.01, momentum=0.8), torch.optim.RMSprop,
        {"lr": 0.01, "alpha": 0.9, "momentum": 0.8},
    ),
    "rmsprop centered": (
        pymlp.RMSProp(0.01, centered=True, epsilon=1e-4), torch.optim.RMSprop,
        {"lr": 0.01, "alpha": 0.9, "eps": 1e-4, "centered": True},
    ),
    "rmsprop centered momentum": (
        pymlp.RMSProp(0.01, centered=True, epsilon=1e-4, momentum=0.5), torch.optim.RMSprop,
        {"lr": 0.01, "alpha": 0.9, "eps": 1e-4, "centered": True, "momentum": 0.5},
    ),
    "adam": (pymlp.Adam(0.01), torch.optim.Adam, {"lr": 0.01}),
    "adam with options": (
        pymlp.Adam(0.02, beta1=0.8, beta2=0.99, epsilon=1e-5), torch.optim.Adam,
        {"lr": 0.02, "betas": (0.8, 0.99), "eps": 1e-5},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("optimizer", "kind", "options"), OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_fifty_steps(
    optimizer: pymlp.Optimizer, kind: Any, options: dict[str, Any], rng: Rng
) -> None:
    net = random_network(rng, [6, 12, 4], hidden="tanh", output="sigmoid", dtype="float64")
    X = random_inputs(rng, 40, net)
    Y = random_targets(rng, 40, 4, "binary_cross_entropy", "float64")
    parameters = tensors(net)
    judge = kind(parameters, **options)
    for step in range(50):
        rows = slice(0, 16) if step % 3 else slice(16, 40)
        judge.zero_grad()
        A = forward(net, parameters, torch.tensor(X[rows]))
        mean_loss("binary_cross_entropy", A, torch.tensor(Y[rows]), net.dtype).backward()
        judge.step()
        net.train_batch(X[rows], Y[rows], optimizer=optimizer)
    expected = np.concatenate([p.detach().numpy().ravel() for p in parameters])
    assert optimizer.steps == 50
    assert np.abs(net.parameters - expected).max() / np.abs(expected).max() < 1e-10
