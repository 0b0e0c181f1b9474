"""Networks and samples that several test files draw, and the same as the reference takes them."""

import itertools
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import reference
from numpy.typing import NDArray
from reference_embeddings import entries_of

import pymlp
from pymlp import Activation, _core, losses
from pymlp.losses import Loss

FloatArray = NDArray[np.floating[Any]]
Rng = np.random.Generator
AssertClose = Callable[..., None]  # the fixture of conftest

# Every activation, with the parameters that it may have.
ACTIVATIONS: list[Activation] = [
    *(kind() for kind in pymlp.activations.TABLE.values()),
    pymlp.Step(0.3),
    pymlp.LeakyReLU(0.2, threshold=0.1),
    pymlp.LeakyReLU(0.5, threshold=-0.3),
    pymlp.ELU(1.5),
    pymlp.ELU(0.3),
    pymlp.CELU(2.0),
    pymlp.CELU(0.4),
]

# Every loss, with the options that it may have.
LOSSES: list[Loss] = [
    *(kind() for kind in losses.TABLE.values()),
    losses.CrossEntropy(label_smoothing=0.1),
    losses.BinaryCrossEntropy(label_smoothing=0.3),
    losses.Huber(0.3),
    losses.Huber(2.5),
    losses.Quantile(0.9),
]


def may_follow(output: Activation, loss: Loss) -> bool:
    """Return whether the library lets this loss read these outputs."""
    try:
        _core.check_pair(loss.name, output.name)
    except ValueError:
        return False
    return True


# Every loss behind every output whose values it is particular about; of the others, which read any
# numbers, mse behind every output and the rest behind these.
ANY_NUMBERS = ("mae", "huber", "log_cosh", "quantile", "hinge")
OF_PROBABILITIES = ("cross_entropy", "binary_cross_entropy", "kl_divergence")
OUTPUTS_OF_ANY_NUMBERS = (pymlp.Linear(), pymlp.Tanh(), pymlp.ELU(1.5), pymlp.Softmax())
PAIRS: list[tuple[Activation, Loss]] = [
    (output, loss)
    for loss in LOSSES
    for output in (OUTPUTS_OF_ANY_NUMBERS if loss.name in ANY_NUMBERS else ACTIVATIONS)
    if may_follow(output, loss)
]

# The pairs whose gradient is computed in one step.
FUSED_PAIRS = [
    ("softmax", "cross_entropy"),
    ("softmax", "kl_divergence"),
    ("log_softmax", "cross_entropy"),
    ("log_softmax", "kl_divergence"),
    ("sigmoid", "binary_cross_entropy"),
    ("exp", "poisson"),
    ("linear", "mse"),
]


def random_widths(rng: Rng, layers: int, widest: int) -> list[int]:
    return [int(n) for n in rng.integers(1, widest + 1, layers + 1)]


def random_network(
    rng: Rng, widths: list[int], *, operations: bool = False, **options: Any
) -> pymlp.Network:
    """Return a network whose parameters are all drawn, and its hidden activations unless given.

    Where they are asked for, so are its norm, residuals, scale and parametric activations.
    """
    if "hidden" not in options:
        options["hidden"] = [
            ACTIVATIONS[i] for i in rng.integers(len(ACTIVATIONS), size=len(widths) - 2)
        ]
    if operations:
        options |= random_operations(rng, widths, options["hidden"])
    net = pymlp.Network(widths, init="glorot_normal", seed=int(rng.integers(2**32)), **options)
    for b in net.biases:
        b[:] = rng.normal(0.0, 0.5, b.shape)
    draw_operations(rng, net)
    return net


NORMS = (None, "layer", "rms", "batch")


def is_elementwise(g: Activation) -> bool:
    return g.name not in ("softmax", "log_softmax")


def random_operations(rng: Rng, widths: list[int], hidden: Any) -> dict[str, Any]:
    """Return options of a network: what its layers do besides product and activation."""
    n_hidden = len(widths) - 2
    if not isinstance(hidden, list):
        hidden = [pymlp.activations.resolve("hidden", hidden)] * n_hidden
    learnt = rng.integers(2, size=n_hidden)
    agree = any(n_in == n_out for n_in, n_out in pairwise(widths[:-1]))
    return {
        "norm": NORMS[rng.integers(4)] if n_hidden else None,
        "residual": bool(agree and rng.integers(2)),
        "scale_inputs": bool(rng.integers(2)),
        "hidden": [
            pymlp.Parametric(g) if chosen and is_elementwise(g) else g
            for g, chosen in zip(hidden, learnt, strict=True)
        ],
    }


def draw_operations(rng: Rng, net: pymlp.Network) -> None:
    """Move everything that begins at 0 or 1, biases aside, away from there."""
    centres = {"gain": 1.0, "shift": 0.0, "alpha": 0.7, "running_mean": 0.0}
    for layer in net.layers:
        for name, centre in centres.items():
            array = getattr(layer, name)
            if array is not None:
                array[:] = rng.normal(centre, 0.3, array.shape)
        if layer.running_variance is not None:
            layer.running_variance[:] = rng.uniform(0.5, 1.5, layer.running_variance.shape)
    if net.input_scale is not None:
        net.input_scale[:] = rng.normal(1.0, 0.3, net.input_scale.shape)


def random_inputs(rng: Rng, m: int, net: pymlp.Network) -> FloatArray:
    X = rng.normal(size=(m, net.widths[0])).astype(net.dtype)
    for one in net.embedding:
        for column, size in getattr(one, "sizes", ()):
            X[:, column] = rng.integers(size, size=m)
        for column, boundaries in getattr(one, "boundaries", ()):
            X[::5, column] = rng.choice(boundaries, size=len(X[::5]))
    return X


def random_targets(rng: Rng, m: int, k: int, loss: str, dtype: Any) -> FloatArray:
    """Return targets (m, k) that the loss takes."""
    if loss == "hinge":
        return rng.choice([-1.0, 1.0], (m, k)).astype(dtype)
    if loss == "poisson":
        return rng.poisson(2.0, (m, k)).astype(dtype)
    if loss in ("mse", *ANY_NUMBERS):
        return rng.normal(size=(m, k)).astype(dtype)
    values = rng.uniform(0.05, 1.0, (m, k))
    if loss in ("cross_entropy", "kl_divergence"):
        values /= values.sum(axis=1, keepdims=True)
    return values.astype(dtype)


def random_labels(rng: Rng, m: int, k: int) -> NDArray[np.int32]:
    return rng.integers(k, size=m, dtype=np.int32)


# Where a derivative jumps.
KINKS: dict[str, tuple[float, ...]] = {
    "relu": (0.0,),
    "elu": (0.0,),
    "selu": (0.0,),
    "hard_sigmoid": (-3.0, 3.0),
    "hard_swish": (-3.0, 3.0),
    "hard_tanh": (-1.0, 1.0),
    "relu6": (0.0, 6.0),
}


def plain(g: Activation) -> Activation:
    """Return the activation that a parametric one bends, or the one given."""
    return g.activation if isinstance(g, pymlp.Parametric) else g


def distances_to_kinks(net: pymlp.Network, X: FloatArray) -> FloatArray:
    """Return how near each sample's pre-activations come to a place where a derivative jumps."""
    nearest = np.full(len(X), np.inf)
    for layer, z in zip(net.layers, net.forward(X).z[1:], strict=True):
        g = plain(layer.activation)
        for kink in (*KINKS.get(g.name, ()), *([g.threshold] if hasattr(g, "threshold") else [])):
            nearest = np.minimum(nearest, np.abs(z - kink).min(axis=1))
    return nearest


def reads_logarithms(output: Activation, loss: Loss) -> bool:
    """Return whether the loss takes logarithms of outputs, and sends a gradient back through."""
    computed_from_logits = (output.name, loss.name) in FUSED_PAIRS
    particular = loss.name in (*OF_PROBABILITIES, "poisson")
    return particular and not computed_from_logits and output.name != "step"


def random_network_for(
    rng: Rng, layers: int, widest: int, output: Activation, loss: Loss, **options: Any
) -> pymlp.Network:
    """Return a network whose outputs are what the loss reads.

    Where that takes logarithms they are few, more than one, and mostly well above 0 and below 1.
    """
    widths = random_widths(rng, layers, widest)
    careful = reads_logarithms(output, loss)
    if careful:
        widths[-1] = 2 + widths[-1] % 3
    net = random_network(rng, widths, output=output, **options)
    if careful:
        z = net.forward(random_inputs(rng, 64, net)).z[-1]
        share = 0.3 / max(float(z.std(axis=0).max()), 0.3)
        net.weights[-1][:] *= share
        if net.bias:
            centre = share * (z.mean(axis=0) - net.biases[-1])
            net.biases[-1][:] = rng.uniform(0.5, 1.5, widths[-1]) - centre
    return net


def inputs_off_kinks(rng: Rng, m: int, net: pymlp.Network, loss: Loss | None = None) -> FloatArray:
    """Return inputs whose rounding cannot take a pre-activation to the other side of a kink.

    Where a loss takes logarithms of what is not computed from logits, the outputs also keep away
    from 0 and 1: there its gradient has the rounding errors of 1 / a and 1 / (1 - a).
    """
    careful = loss is not None and reads_logarithms(net.layers[-1].activation, loss)
    low = 0.01 if careful else -np.inf
    high = 0.99 if careful and loss.name in OF_PROBABILITIES else np.inf
    found: list[FloatArray] = []
    for _ in range(200):
        X = random_inputs(rng, 64, net)
        # A norm divides by what may be small, and rounding with it.
        width = 50 if norm_of(net) is None else 5000
        off_kinks = distances_to_kinks(net, X) > width * np.finfo(net.dtype).eps
        A = net.predict(X)
        found.extend(X[off_kinks & ((low < A) & (high > A)).all(axis=1)])
        if len(found) >= m:
            return np.array(found[:m])
    raise AssertionError(f"{net!r} is at a kink wherever it is looked at")


# ---- the same in plain lists ---------------------------------------------------------------------
def parameters_of(g: Activation, dtype: Any) -> dict[str, float]:
    """Return an activation's parameters as the library of this dtype sees them."""
    return {name: float(np.dtype(dtype).type(value)) for name, value in g.parameters.items()}


def options_of(loss: Loss, dtype: Any) -> dict[str, Any]:
    """Return a loss's options as the library of this dtype sees them."""
    return {name: np.asarray(value, dtype).tolist() for name, value in vars(loss).items()}


def norm_of(net: pymlp.Network) -> str | None:
    """Return the kind of the network's norms, by the arrays that its first layer has."""
    first = net.layers[0]
    if first.gain is None:
        return None
    if first.shift is None:
        return "rms"
    return "layer" if first.running_mean is None else "batch"


def entries(array: FloatArray | None) -> Any:
    """Return an array as lists; [] where there is none."""
    return [] if array is None else array.tolist()


def to_reference(net: pymlp.Network) -> reference.Network:
    """Return the network in plain lists."""
    layers, norm = net.layers, norm_of(net)
    activations = [plain(layer.activation) for layer in layers]
    statistics = [
        (entries(layer.running_mean), entries(layer.running_variance)) for layer in layers[:-1]
    ]
    return reference.Network(
        [entries(layer.weights) for layer in layers],
        [entries(layer.biases) or [0.0] * layer.weights.shape[1] for layer in layers],
        [(g.name, parameters_of(g, net.dtype)) for g in activations],
        net.bias,
        scale=entries(net.input_scale),
        norm=norm,
        gains=[entries(layer.gain) for layer in layers],
        shifts=[entries(layer.shift) for layer in layers],
        running=statistics if norm == "batch" else [],
        alphas=[entries(layer.alpha) for layer in layers],
        residual=net.residual,
        embedding=embedding_of(net),
    )


def embedding_of(net: pymlp.Network) -> list[dict[str, Any]]:
    """Return the embedding of every column in plain lists; [] where there is none."""
    columns = net.embedding_parameters
    return [
        {name: array.tolist() for name, array in columns.get(i, {}).items()} | boundaries_of(net, i)
        for i in range(net.widths[0] if columns else 0)
    ]


def boundaries_of(net: pymlp.Network, column: int) -> dict[str, Any]:
    """Return those of a piecewise linear column as the library of this dtype sees them."""
    for one in net.embedding:
        found = dict(getattr(one, "boundaries", ())).get(column)
        if found is not None:
            return {"boundaries": np.array(found, net.dtype).tolist()}
    return {}


def flat_gradients(net: pymlp.Network, g: reference.Gradients) -> list[float]:
    """Return gradients in the order of the network's parameters."""
    db = g.db if net.bias else [[] for _ in g.db]
    embedding = entries_of(g.dembedding)
    return embedding + reference.flatten(g.dW, db, g.dscale, g.dgain, g.dshift, g.dalpha)


def flat_parameters(twin: reference.Network) -> list[float]:
    """Return parameters of the reference in the order of the library's."""
    biases = twin.biases if twin.bias else [[] for _ in twin.biases]
    others = twin.gains, twin.shifts, twin.alphas
    embedding = entries_of(twin.embedding)
    return embedding + reference.flatten(twin.weights, biases, twin.scale, *others)


def size_of_gradients(net: pymlp.Network, g: reference.Gradients, dA: Any = ()) -> float | None:
    """Return what gradients are judged relative to; None: each by its own size.

    Rounding is not smaller than that of the gradients by the outputs, `dA`, which may cancel. A
    norm takes away what moves all its entries alike: small gradients in front of it are what is
    left of large terms. And it divides by what may be small, which makes rounding larger: by up to
    10 times in what is drawn here.
    """
    added = (
        net.norm,
        net.residual,
        net.input_scale is not None,
        bool(net.embedding),
        any(layer.alpha is not None for layer in net.layers),
    )
    if not any(added):
        return None
    largest = max(map(abs, [*flat_gradients(net, g), *itertools.chain(*dA)]))
    return 10.0 * largest if net.norm else largest


def assert_gradients(
    assert_close: AssertClose,
    net: pymlp.Network,
    actual: pymlp.Gradients,
    g: reference.Gradients,
    dA: Any = (),
) -> None:
    """Compare gradients by name, and see that there is none of what the network does not have."""
    expected = [g.dW, g.db if net.bias else [[]] * len(g.db), g.dgain, g.dshift, g.dalpha]
    scale = size_of_gradients(net, g, dA)
    assert len(actual.layers) == len(g.dW)
    for layer, *of_layer in zip(actual.layers, *expected, strict=True):
        names = "weights", "biases", "gain", "shift", "alpha"
        for name, wanted in zip(names, of_layer, strict=True):
            array = getattr(layer, name)
            assert (array is None) == (not wanted), name
            if wanted:
                assert_close(array, wanted, "gradients", scale=scale)
    assert (actual.input_scale is None) == (not g.dscale)
    if g.dscale:
        assert_close(actual.input_scale, g.dscale, "gradients", scale=scale)
    for views, wanted in zip(actual.embedding_parameters.values(), columns_of(g), strict=True):
        for name, array in views.items():
            assert_close(array, wanted[name], "gradients", scale=scale)
    assert_close(actual.flat, flat_gradients(net, g), "gradients", scale=scale)


def columns_of(g: reference.Gradients) -> list[dict[str, Any]]:
    """Return the gradients of the columns that are embedded."""
    return [column for column in g.dembedding if column]


def rows_of(y: NDArray[Any], k: int) -> list[list[float]]:
    """Return labels (m,) or targets (m, k) as rows."""
    return reference.one_hot(y.tolist(), k) if y.ndim == 1 else y.tolist()
