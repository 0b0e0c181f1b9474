"""Networks with every kind of operation, alone and together, and samples for them."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
import reference
from cases import FloatArray, Rng, random_inputs, random_network, random_targets, to_reference

import pymlp
from pymlp import Network, Parametric
from pymlp.embeddings import Categories, Periodic, PiecewiseLinear

# The first two alike, side by side.
BOUNDARIES = {0: [-1.5, -0.2, 0.3, 1.7], 1: [-1.5, -0.2, 0.3, 1.7], 2: [-0.6, 0.4]}
# Widths and options. Hidden activations are smooth, so that no sample is at a kink.
NETWORKS: dict[str, tuple[list[int], dict[str, Any]]] = {
    "layer norm": ([3, 17, 5, 3], {"norm": "layer"}),
    "rms norm": ([3, 17, 5, 3], {"norm": "rms"}),
    "batch norm": ([3, 17, 5, 3], {"norm": "batch"}),
    "layer norm, wide": ([17, 33, 17, 33], {"norm": "layer"}),
    "rms norm, wide": ([17, 33, 17, 33], {"norm": "rms"}),
    "batch norm, wide": ([17, 33, 17, 33], {"norm": "batch"}),
    "layer norm of one": ([3, 1, 2], {"norm": "layer"}),
    "rms norm of one": ([3, 1, 2], {"norm": "rms"}),
    "batch norm of one": ([3, 1, 2], {"norm": "batch"}),
    "residual": ([5, 5, 5, 3], {"residual": True}),
    "residual, some": ([3, 3, 17, 17, 17, 17], {"residual": True}),
    "residual of one": ([1, 1, 1, 1], {"residual": True}),
    "residual, wide": ([33, 33, 33, 1], {"residual": True}),
    "scale": ([17, 3], {"scale_inputs": True}),
    "scale of one": ([1, 3, 1], {"scale_inputs": True}),
    "scale, wide": ([33, 17, 1], {"scale_inputs": True}),
    "parametric": ([3, 17, 5, 2], {"hidden": [Parametric("softplus"), Parametric("silu")]}),
    "parametric, one": ([3, 5, 17, 2], {"hidden": ["tanh", Parametric(pymlp.CELU(2.0))]}),
    "parametric output": ([33, 3], {"output": Parametric("tanh")}),
    "parametric of one": ([3, 1, 1], {"hidden": Parametric("gelu"), "output": Parametric("sin")}),
    "layer norm, residual": ([17, 17, 17, 3], {"norm": "layer", "residual": True}),
    "rms norm, residual": ([17, 17, 17, 3], {"norm": "rms", "residual": True}),
    "batch norm, residual": ([17, 17, 17, 3], {"norm": "batch", "residual": True}),
    "scale, residual": ([3, 3, 3, 3], {"scale_inputs": True, "residual": True}),
    "scale, parametric": ([5, 7, 3], {"scale_inputs": True, "hidden": Parametric("mish")}),
    "softmax inside, layer norm": ([3, 5, 7, 3], {"norm": "layer", "hidden": ["softmax", "tanh"]}),
    "all, layer norm": ([17, 17, 33, 33, 3], {
        "norm": "layer", "residual": True, "scale_inputs": True, "hidden": Parametric("silu"),
        "output": Parametric("softplus"), "dropout": 0.4, "input_dropout": 0.2,
    }),
    "all, rms norm": ([17, 17, 33, 33, 3], {
        "norm": "rms", "residual": True, "scale_inputs": True, "hidden": Parametric("sin"),
        "output": Parametric("tanh"), "dropout": [0.1, 0.0, 0.3], "input_dropout": 0.1,
    }),
    "all, batch norm": ([17, 17, 33, 33, 3], {
        "norm": "batch", "residual": True, "scale_inputs": True, "hidden": Parametric("gelu"),
        "output": Parametric("sigmoid"), "dropout": 0.2, "input_dropout": 0.5,
    }),
    **{
        f"together, {norm} norm": ([3, 3, 5, 5, 2], {
            "norm": norm, "residual": True, "scale_inputs": True, "hidden": Parametric("silu"),
        })
        for norm in ("layer", "rms", "batch")
    },
    "periodic": ([3, 5, 2], {"embedding": Periodic()}),
    "periodic of one": ([1, 2], {"embedding": Periodic(frequencies=1, width=2, sigma=2.0)}),
    "periodic, some": ([5, 7, 3], {"embedding": Periodic([1, 4], frequencies=3, width=7)}),
    "periodic, wide": ([3, 5, 3], {"embedding": Periodic([0, 2], frequencies=33, width=19)}),
    "categories": ([3, 5, 2], {"embedding": Categories({1: 7}, width=3)}),
    "categories of one": ([1, 2], {"embedding": Categories({0: 1}, width=1)}),
    "embedding": ([6, 9, 3], {"embedding": [Periodic([0, 1, 3]), Categories({2: 5, 5: 40})]}),
    "embedding, scale, residual": ([4, 11, 11, 3], {
        "embedding": [Periodic([0, 3]), Categories({1: 4}, width=2)], "scale_inputs": True,
        "residual": True,
    }),
    "embedding, residual": ([3, 5, 2], {"embedding": Periodic([1], width=3), "residual": True}),
    "embedding, batch norm, all": ([4, 17, 17, 3], {
        "embedding": [
            Categories({3: 9}, width=5), PiecewiseLinear({1: [0, 1, 2]}), Periodic(frequencies=5),
        ],
        "norm": "batch",
        "residual": True, "scale_inputs": True, "hidden": Parametric("mish"), "dropout": 0.3,
        "input_dropout": 0.2,
    }),
    "deep": ([5] * 13, {"norm": "layer", "residual": True, "hidden": Parametric("tanh")}),
    "piecewise linear": ([3, 5, 2], {"embedding": PiecewiseLinear(BOUNDARIES)}),
    "piecewise linear of one": ([1, 2], {"embedding": PiecewiseLinear({0: [0.1, 0.7]}, width=2)}),
    "piecewise linear, some": ([5, 7, 3], {
        "embedding": PiecewiseLinear({3: [-0.3, 0.1, 2.5], 1: [-1, 0, 0.25]}, width=7),
    }),
    "piecewise linear, wide": ([3, 5, 3], {
        "embedding": PiecewiseLinear({i: np.arange(-2, 2, 1 / 16) for i in (0, 2)}, width=19),
    }),
    "embeddings": ([6, 9, 3], {
        "embedding": [PiecewiseLinear(BOUNDARIES), Categories({4: 5}), Periodic([3, 5])],
        "scale_inputs": True,
    }),
}  # fmt: skip
by_name = pytest.mark.parametrize("name", NETWORKS)
FEW = (1, 2, 7, 33)
# Of many rows, where a batch is cut into blocks and shared, what the reference soon gets through.
MANY = (
    "layer norm", "rms norm", "batch norm", "residual", "scale of one", "parametric",
    "together, layer norm", "together, rms norm", "together, batch norm", "periodic", "embeddings",
    "piecewise linear",
)  # fmt: skip


def network(rng: Rng, name: str, dtype: str, **others: Any) -> Network:
    widths, options = NETWORKS[name]
    return random_network(rng, widths, **{"hidden": "tanh", **options, "dtype": dtype, **others})


class Case(NamedTuple):
    """A network with samples, and the same network in plain lists."""

    net: Network
    twin: reference.Network
    X: FloatArray
    Y: FloatArray


def case(name: str, m: int, dtype: str, **others: Any) -> Case:
    rng = np.random.default_rng([list(NETWORKS).index(name), m])
    net = network(rng, name, dtype, **others)
    X = random_inputs(rng, m, net)
    return Case(net, to_reference(net), X, random_targets(rng, m, net.widths[-1], "mse", dtype))


def by_rows(test: Callable[..., None]) -> Callable[..., None]:
    """Run a test for every network with few rows, and for most with many."""
    walks = [(name, m) for name in NETWORKS for m in FEW]
    walks += [(name, m) for name in MANY for m in (300, 700)]
    return pytest.mark.parametrize(("name", "m"), walks)(test)
