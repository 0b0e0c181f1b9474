"""Writes what `pymlp.selftest()` compares with: results of the reference, and checksums.

`python tests/judge/publish.py` writes them anew, where changed bits are meant: as text beside this
file, and packed into the package.
"""

import gzip
import inspect
import json
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

TESTS = Path(__file__).parents[1]
sys.path[:0] = [str(TESTS), str(TESTS / "judge")]

import cases  # noqa: E402
import reference  # noqa: E402
import reference_losses  # noqa: E402
import reference_optimizers  # noqa: E402
from reference_activations import (  # noqa: E402
    activation_backward,
    activation_forward,
    sigmoid,
    softplus,
)
from reference_dropout import dropout_mask  # noqa: E402
from reference_matrices import times  # noqa: E402

from pymlp.activations import TABLE  # noqa: E402
from pymlp.certificate import checksums, kernels, networks  # noqa: E402
from pymlp.certificate.inputs import numbers, shares  # noqa: E402

TEXT = TESTS / "judge" / "published.json"
PACKED = TESTS.parent / "src" / "pymlp" / "certificate" / "published.json.gz"
Flat = list[float]
Named = Iterator[tuple[str, Flat]]
SHAPE = (kernels.FEW.rows, kernels.FEW.columns)


def flat(nested: Any) -> Flat:
    if not isinstance(nested, list):
        return [float(nested)]
    return [entry for part in nested for entry in flat(part)]


def activations() -> Named:
    z = numbers(SHAPE, "float64").tolist()
    da = numbers(SHAPE, "float64", low=-1.0, width=2.0, first=977).tolist()
    for name, kind in TABLE.items():
        parameters = kind().parameters
        yield name, flat(activation_forward(name, z, **parameters))
        yield f"{name}, derivative", flat(activation_backward(name, da, z, **parameters))


def losses() -> Named:
    forms = {"": reference_losses.LOSSES, " from logits": reference_losses.LOSSES_FROM_LOGITS}
    targets = shares(SHAPE, "float64").tolist()
    for suffix, form in forms.items():
        for name, (value, gradient) in form.items():
            if suffix and name not in kernels.FROM_LOGITS:
                continue
            outputs = kernels.loss_outputs(name, bool(suffix), SHAPE, "float64").tolist()
            pairs = list(zip(outputs, targets, strict=True))
            yield name + suffix, flat([value(a, y) for a, y in pairs])
            yield f"{name}{suffix}, gradient", flat([gradient(a, y) for a, y in pairs])


def products() -> Named:
    x, w, biases, dz = (
        a.tolist() for a in kernels.product_operands(kernels.FEW.product, "float64")
    )
    yield "product", flat(reference.dense_forward(x, w, biases))
    dX, dW, db = reference.dense_backward(dz, x, w)
    yield from (("product, dW", flat(dW)), ("product, db", flat(db)), ("product, dX", flat(dX)))


def elementary() -> Named:
    x = numbers((SHAPE[0] * SHAPE[1],), "float64", low=0.125, width=4.0).tolist()
    for name in kernels.ELEMENTARY:
        own = {"sigmoid": sigmoid, "softplus": softplus}
        yield f"{name} of a number", [own.get(name, getattr(math, name, None))(one) for one in x]


def dropout() -> Named:
    mask = dropout_mask(*SHAPE, kernels.RATE, kernels.SEED, kernels.STEP, kernels.LAYER)
    yield "dropout", flat(times(numbers(SHAPE, "float64").tolist(), mask))


def gradients() -> Named:
    for name, case in networks.OPERATIONS.items():
        net = networks.network(case, "float64")
        X, Y = (array.tolist() for array in networks.samples(net, 5))
        training = reference.Mode(training=True)
        loss, g = reference.gradients(cases.to_reference(net), X, Y, "mse", mode=training)
        yield f"{name}, loss", [loss]
        yield f"{name}, gradient", cases.flat_gradients(net, g)


def steps() -> Named:
    for rule in networks.RULES:
        net = networks.network(networks.Case([2, 2, 1], {}), "float64")
        X, Y = (array.tolist() for array in networks.samples(net, 4))
        optimizer = networks.optimizer(rule)
        known = inspect.signature(reference_optimizers.RULES[rule]).parameters
        options = {name: x for name, x in optimizer.options.items() if name in known}
        options["learning_rate"] = optimizer.learning_rate
        options["weight_decay"] = optimizer.options["weight_decay"]
        recipe = reference.Recipe("mse", rule, options, epochs=networks.STEPS, batch_size=4)
        trained, _ = reference.train(cases.to_reference(net), X, Y, recipe)
        yield f"{rule}, {networks.STEPS} steps", cases.flat_parameters(trained)


def of_reference() -> dict[str, Flat]:
    """Return what the reference computes, in doubles."""
    sources = (activations, losses, products, elementary, dropout, gradients, steps)
    return {name: values for source in sources for name, values in source()}


def published() -> dict[str, Any]:
    """Return all that is published, checksums by this build."""
    return {"reference": of_reference(), "checksums": checksums.all_checksums()}


def text() -> str:
    """Return the file: a line for each result."""
    parts = [
        f'"{part}": {{\n'
        + ",\n".join(
            f"{json.dumps(name)}: {json.dumps(value, separators=(',', ':'))}"
            for name, value in of_part.items()
        )
        + "\n}"
        for part, of_part in published().items()
    ]
    return "{\n" + ",\n".join(parts) + "\n}\n"


if __name__ == "__main__":
    TEXT.write_text(text(), encoding="utf-8")
    PACKED.write_bytes(gzip.compress(TEXT.read_bytes(), mtime=0))
