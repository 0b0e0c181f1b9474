"""PyTorch, which knows nothing of this library, as the judge of losses and gradients.

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
    options_of,
    parameters_of,
    random_inputs,
    random_labels,
    random_network,
    random_network_for,
    random_targets,
)

import pymlp
from pymlp import Activation, Network
from pymlp.losses import Loss

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
    # PyTorch's own celu, hardsigmoid and hardswish take 1 / alpha and 1 / 6 from float32.
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
        "selu": lambda: functional.selu(z),
        "celu": lambda: torch.where(
            z > 0, z, p["alpha"] * torch.expm1(z.clamp(max=0.0) / p["alpha"])
        ),
        "gelu": lambda: functional.gelu(z),
        "gelu_tanh": lambda: functional.gelu(z, approximate="tanh"),
        "silu": lambda: functional.silu(z),
        "mish": lambda: functional.mish(z),
        "softplus": lambda: functional.softplus(z, threshold=100.0),
        "softsign": lambda: functional.softsign(z),
        "hard_sigmoid": lambda: functional.relu6(z + 3.0) / 6.0,
        "hard_swish": lambda: z * functional.relu6(z + 3.0) / 6.0,
        "hard_tanh": lambda: functional.hardtanh(z),
        "relu6": lambda: functional.relu6(z),
        "exp": lambda: torch.exp(z),
        "sin": lambda: torch.sin(z),
        "gaussian": lambda: torch.exp(-z * z),
        "log_softmax": lambda: torch.log_softmax(z, dim=1),
    }
    return forms[g.name]()


def smoothed(y: Any, smoothing: float, classes: int) -> Any:
    return (1.0 - smoothing) * y + smoothing / classes


def mean_loss(loss: Loss, output: Activation, a: Any, y: Any, dtype: Any) -> Any:
    """Return the mean over samples of a loss that PyTorch has, targets being (m, k)."""
    p = options_of(loss, dtype)
    smoothing = p.get("label_smoothing", 0.0)
    log_a = a if output.name == "log_softmax" else None
    forms = {
        "mse": lambda: functional.mse_loss(a, y),
        "mae": lambda: functional.l1_loss(a, y),
        "huber": lambda: functional.huber_loss(a, y, delta=p["delta"]),
        "poisson": lambda: functional.poisson_nll_loss(a, y, log_input=False, eps=0.0),
        "kl_divergence": lambda: functional.kl_div(
            torch.log(a) if log_a is None else log_a, y, reduction="batchmean"
        ),
        "binary_cross_entropy": lambda: functional.binary_cross_entropy(
            a, smoothed(y, smoothing, 2)
        ),
        "cross_entropy": lambda: (
            functional.cross_entropy(
                torch.log(a) if log_a is None else log_a, y, label_smoothing=smoothing
            )
            if "softmax" in output.name
            else -(smoothed(y, smoothing, y.shape[1]) * torch.log(a)).sum(dim=1).mean()
        ),
    }
    return forms[loss.name]()


# A step under a logarithm has no gradient, and its loss is infinite there.
TORCH_PAIRS = [
    (output, loss)
    for output, loss in PAIRS
    if loss.name not in ("log_cosh", "quantile", "hinge")
    and (output.name != "step" or loss.name == "mse")
]


def forward(net: Network, parameters: list[Any], X: Any, *, before_output: bool = False) -> Any:
    a, left = X, iter(parameters)
    for layer in net.layers:
        z = a @ next(left) + next(left)
        a = activation(layer.activation, z, net.dtype)
    return z if before_output else a


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
        output, self.loss = TORCH_PAIRS[number % len(TORCH_PAIRS)]
        # The hidden activations follow each other, so that each comes to every place.
        hidden = [ACTIVATIONS[(number // 5 + 3 * i) % len(ACTIVATIONS)] for i in range(layers - 1)]
        self.net = random_network_for(
            rng, layers, 40, output, self.loss, hidden=hidden, dtype=dtype
        )
        m, k = int(rng.integers(1, 66)), self.net.widths[-1]
        self.X = inputs_off_kinks(rng, m, self.net, self.loss)
        self.dY = rng.normal(size=(m, k)).astype(dtype)
        labelled = self.loss.name == "cross_entropy" and bool(rng.integers(2))
        self.y = (
            random_labels(rng, m, k)
            if labelled
            else random_targets(rng, m, k, self.loss.name, dtype)
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
            J = mean_loss(self.loss, self.net.layers[-1].activation, A, Y, self.net.dtype)
        J.backward()
        return J.item(), [p.grad.numpy() for p in parameters], X.grad.numpy()


def relative_errors(actual: list[FloatArray], expected: list[FloatArray]) -> Iterator[float]:
    largest = max(float(np.abs(g).max()) for g in expected)
    for got, wanted in zip(actual, expected, strict=True):
        size = max(float(np.abs(wanted).max()), 1e-3 * largest)
        yield float(np.abs(got - wanted).max()) / size if size else float(np.abs(got).max())


def named(grads: pymlp.Gradients) -> list[FloatArray]:
    return [g for pair in zip(grads.weights, grads.biases, strict=True) for g in pair]


@pytest.mark.parametrize(
    "number",
    [pytest.param(n, marks=[pytest.mark.slow] if n % 4 else []) for n in range(NETWORKS)],
)
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


@pytest.mark.parametrize("class_weight", [{0: 0.5, 2: 3.0}, {0: 0.0, 1: 2.0}, "balanced"])
@pytest.mark.parametrize("output", ["softmax", "log_softmax"])
def test_class_weights(output: str, class_weight: Any, rng: Rng) -> None:
    net = random_network(rng, [4, 6, 3], hidden="tanh", output=output, dtype="float64")
    X, y = random_inputs(rng, 30, net), np.r_[np.zeros(17, int), random_labels(rng, 10, 3), 0, 1, 2]
    if class_weight == "balanced":
        weights = len(y) / (3 * np.bincount(y))
    else:
        weights = np.array([class_weight.get(label, 1.0) for label in range(3)])
    parameters = tensors(net)
    logits = forward(net, parameters, torch.tensor(X), before_output=True)
    functional.cross_entropy(logits, torch.tensor(y), torch.tensor(weights)).backward()
    expected = np.concatenate([(p.detach() - 0.1 * p.grad).numpy().ravel() for p in parameters])
    net.fit(
        X, y, class_weight=class_weight, epochs=1, batch_size=None, optimizer=pymlp.SGD(0.1),
    )  # fmt: skip
    assert np.abs(net.parameters - expected).max() < 1e-14


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
    assert kinds == set(TORCH_PAIRS)
