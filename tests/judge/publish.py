"""Writes what `pymlp.selftest()` compares with: results of the reference, and checksums.

`python tests/judge/publish.py` writes them anew, where changed bits are meant: as text beside this
file, and packed into the package.
"""

import gzip
import inspect
import json
import math
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

TESTS = Path(__file__).parents[1]
sys.path[:0] = [str(TESTS), str(TESTS / "judge")]

import cases  # noqa: E402
import reference  # noqa: E402
import reference_limits  # noqa: E402
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
from pymlp.certificate import checksums, kernels, networks, parts, recipes, rules  # noqa: E402
from pymlp.certificate.inputs import numbers, shares  # noqa: E402
from pymlp.network import Network  # noqa: E402
from pymlp.optimizers import TABLE as OPTIMIZERS  # noqa: E402

TEXT = TESTS / "judge" / "published.json"
PACKED = TESTS.parent / "src" / "pymlp" / "certificate" / "published.json.gz"
Flat = list[float]
Named = Iterator[tuple[str, Flat]]


def flat(nested: Any) -> Flat:
    if not isinstance(nested, list):
        return [float(nested)]
    return [entry for part in nested for entry in flat(part)]


def shape_of(sizes: kernels.Sizes) -> tuple[int, int]:
    return sizes.rows, sizes.columns


def activations(sizes: kernels.Sizes) -> Named:
    z = numbers(shape_of(sizes), "float64").tolist()
    da = numbers(shape_of(sizes), "float64", low=-1.0, width=2.0, first=977).tolist()
    for name, kind in TABLE.items():
        parameters = kind().parameters
        yield name, flat(activation_forward(name, z, **parameters))
        yield f"{name}, derivative", flat(activation_backward(name, da, z, **parameters))


def rules_of_optimizers(sizes: kernels.Sizes) -> Named:
    _n, distinct = sizes.rules
    once = rules.Sizes(distinct, distinct)
    for name, (kind, options) in rules.RULES.items():
        options = options_of(kind, {"learning_rate": rules.LEARNING_RATE, **options})
        w, state = rules.parameters(once, "float64").tolist(), reference_optimizers.State()
        for step in range(rules.STEPS):
            g = rules.gradient(once, "float64", step).tolist()
            w = reference_optimizers.update(kind, w, g, state, **options)
        yield f"rule {name}", w


def options_of(kind: str, given: dict[str, Any]) -> dict[str, Any]:
    """Return an optimiser's options that the reference knows, the defaults of the library too."""
    optimizer = OPTIMIZERS[kind](**given)
    rule = reference_optimizers.RULES["adam" if kind == "amsgrad" else kind]
    known = inspect.signature(rule).parameters
    common = ("weight_decay", "maximize", "decoupled_weight_decay")
    found = {name: x for name, x in optimizer.options.items() if name in (*known, *common)}
    return {**found, "learning_rate": optimizer.learning_rate}


FORMS = {"": reference_losses.LOSSES, " from logits": reference_losses.LOSSES_FROM_LOGITS}


def losses(sizes: kernels.Sizes) -> Named:
    targets = shares(shape_of(sizes), "float64").tolist()
    for suffix, form in FORMS.items():
        for name, (value, gradient) in form.items():
            if suffix and name not in kernels.FROM_LOGITS:
                continue
            outputs = kernels.loss_outputs(name, bool(suffix), shape_of(sizes), "float64")
            pairs = list(zip(outputs.tolist(), targets, strict=True))
            yield name + suffix, flat([value(a, y) for a, y in pairs])
            yield f"{name}{suffix}, gradient", flat([gradient(a, y) for a, y in pairs])


def losses_of_targets(sizes: kernels.Sizes) -> Named:
    shape = shape_of(sizes)
    for name, from_logits in kernels.OF_LABELS:
        suffix = " from logits" if from_logits else ""
        value, gradient = FORMS[suffix][name]
        outputs = kernels.loss_outputs(name, from_logits, shape, "float64").tolist()
        for kind, (labels, values, smoothing, scale) in kernels.targets(shape, "float64").items():
            Y = values.tolist() if labels is None else reference.one_hot(labels.tolist(), shape[1])
            Y = reference_losses.smoothed(name, Y, smoothing)
            rows = list(zip(outputs, Y, scale.tolist(), strict=True))
            full = f"{name}{suffix}, {kind}"
            yield full, flat([value(a, y) for a, y, _ in rows])
            yield f"{full}, gradient", [share * d for a, y, share in rows for d in gradient(a, y)]


def products(sizes: kernels.Sizes) -> Named:
    x, w, biases, dz = (a.tolist() for a in kernels.product_operands(sizes.product, "float64"))
    yield "product", flat(reference.dense_forward(x, w, biases))
    dX, dW, db = reference.dense_backward(dz, x, w)
    yield from (("product, dW", flat(dW)), ("product, db", flat(db)), ("product, dX", flat(dX)))


def elementary(sizes: kernels.Sizes) -> Named:
    x = numbers((sizes.rows * sizes.columns,), "float64", low=0.125, width=4.0).tolist()
    for name in kernels.ELEMENTARY:
        own = {"sigmoid": sigmoid, "softplus": softplus}
        yield f"{name} of a number", [own.get(name, getattr(math, name, None))(one) for one in x]


def dropout(sizes: kernels.Sizes) -> Named:
    shape = shape_of(sizes)
    mask = dropout_mask(*shape, kernels.RATE, kernels.SEED, kernels.STEP, kernels.LAYER)
    yield "dropout", flat(times(numbers(shape, "float64").tolist(), mask))


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
        options = {**optimizer.options, "learning_rate": optimizer.learning_rate}
        options = options_of(rule, options)
        recipe = reference.Recipe("mse", rule, options, epochs=networks.STEPS, batch_size=4)
        trained, _ = reference.train(cases.to_reference(net), X, Y, recipe)
        yield f"{rule}, {networks.STEPS} steps", cases.flat_parameters(trained)


def targets_and_weights(recipe: recipes.Recipe, net: Network) -> reference_limits.Samples:
    X, y, weight = recipes.samples(recipe, net)
    k = net.widths[-1]
    if y.ndim == 1:
        labels = y.tolist()
        Y = [[float(x)] for x in labels] if k == 1 else reference.one_hot(labels, k)
    else:
        Y = y.astype(float).tolist()
    weights = [1.0] * len(y) if weight is None else weight.tolist()
    options = {"label_smoothing": recipe.smoothing}
    return reference_limits.Samples(X.tolist(), Y, weights, recipe.loss.name, options)


def gradients_of_recipes() -> Named:
    for name, recipe in recipes.GRADIENTS.items():
        net = networks.network(recipe.case, "float64")
        X, Y, weight, loss, options = vars(targets_and_weights(recipe, net)).values()
        J, g = reference.gradients(cases.to_reference(net), X, Y, loss, weight, **options)
        yield f"{name}, loss", [J]
        yield f"{name}, gradient", cases.flat_gradients(net, g)


def steps_of_recipes() -> Named:
    for name, recipe in recipes.TRAININGS.items():
        net = networks.network(recipe.case, "float64")
        limits = dict(recipe.limits)
        options = options_of(recipe.rule, {**recipe.options, "learning_rate": recipes.RATE})
        if "groups" in recipe.options:
            factors = recipe.options["groups"]["biases"]
            limits["biases"] = (factors["learning_rate"], factors["weight_decay"])
        training = reference_limits.Training(
            cases.to_reference(net), recipe.rule, options, reference_limits.Limits(**limits)
        )
        samples = targets_and_weights(recipe, net)
        for batch in samples.batches(recipes.BATCH) * recipes.EPOCHS:
            training.step(batch)
        yield f"trained: {name}", training.parameters


SOURCES: dict[str, tuple[Callable[[kernels.Sizes], Named], ...]] = {
    checksums.KERNELS: (activations, rules_of_optimizers),
    checksums.SINGLE_KERNELS: (losses, losses_of_targets, products, elementary, dropout),
}
OF_NETWORKS = (gradients, steps, gradients_of_recipes, steps_of_recipes)


def of_kernels(part: str, sizes: kernels.Sizes) -> dict[str, Flat]:
    """Return what the reference computes for kernels."""
    return {name: values for source in SOURCES[part] for name, values in source(sizes)}


def of_reference() -> dict[str, dict[str, Flat]]:
    """Return what the reference computes, in doubles."""
    found = {part: of_kernels(part, kernels.FEW) for part in SOURCES}
    return {**found, parts.NETWORKS: {n: values for f in OF_NETWORKS for n, values in f()}}


def published() -> dict[str, Any]:
    """Return all that is published, checksums by this build."""
    return {"reference": of_reference(), "checksums": checksums.all_checksums()}


def lines(of_part: dict[str, Any]) -> str:
    """Return a part of the file: a line for each result."""
    return ",\n".join(
        f"{json.dumps(name)}: {json.dumps(value, separators=(',', ':'))}"
        for name, value in of_part.items()
    )


def text() -> str:
    """Return the file."""
    found = [
        f'"{kind}": {{\n'
        + ",\n".join(f'"{part}": {{\n{lines(values)}\n}}' for part, values in of_kind.items())
        + "\n}"
        for kind, of_kind in published().items()
    ]
    return "{\n" + ",\n".join(found) + "\n}\n"


if __name__ == "__main__":
    TEXT.write_text(text(), encoding="utf-8")
    PACKED.write_bytes(gzip.compress(TEXT.read_bytes(), mtime=0))
