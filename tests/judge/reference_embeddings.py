"""The judge of embeddings: columns of the inputs that become several numbers each.

A column is a dict of its parameters by name, in the order of a network's parameters; {} passes as
it is. Of a number x

    periodic     (x, cos(2 pi x frequencies + phases) weights + biases)
    piecewise    (x, ramps weights + biases), ramp t of k being the share of the way that x has gone
                 from boundaries[t] to boundaries[t + 1], from 0 to 1; beyond the outer boundaries
                 less than 0 and more than 1
    categories   table[x], x being a code

where frequencies and phases have k entries, weights is (k, n), biases has n, and table has a row
for each category. Gradients have the same shape. Boundaries are not learnt and have none.
"""

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from reference_matrices import Matrix, Vector, matmul, sum_of_products, transpose

Column = dict[str, Any]
Backward = Callable[[Matrix, Vector, Column], tuple[Vector, Column]]


def angles(x: float, column: Column) -> Vector:
    pairs = zip(column["frequencies"], column["phases"], strict=True)
    return [2 * math.pi * x * frequency + phase for frequency, phase in pairs]


def slopes(x: float, column: Column) -> Vector:
    """Of all ramps one rises: at a boundary that which begins there."""
    pairs = list(pairwise(column["boundaries"]))
    rising = sum(x >= low for low, _ in pairs[1:])
    return [1 / (high - low) if t == rising else 0.0 for t, (low, high) in enumerate(pairs)]


def ramps(x: float, column: Column) -> Vector:
    pairs = list(pairwise(column["boundaries"]))
    shares = [(x - low) / (high - low) for low, high in pairs]
    least = [-math.inf, *(0.0 for _ in pairs[1:])]
    most = [*(1.0 for _ in pairs[1:]), math.inf]
    return [max(a, min(share, b)) for a, share, b in zip(least, shares, most, strict=True)]


def embedded(x: float, column: Column) -> Vector:
    if not column:
        return [x]
    if "table" in column:
        return list(column["table"][int(x)])
    if "boundaries" in column:
        features = ramps(x, column)
    else:
        features = [math.cos(angle) for angle in angles(x, column)]
    weights = zip(transpose(column["weights"]), column["biases"], strict=True)
    return [x, *(sum_of_products([*features, 1.0], [*w, b]) for w, b in weights)]


def embedding_forward(X: Matrix, columns: list[Column]) -> Matrix:
    return [[y for x, c in zip(row, columns, strict=True) for y in embedded(x, c)] for row in X]


def periodic_backward(dY: Matrix, x: Vector, column: Column) -> tuple[Vector, Column]:
    """Give dx and the gradients of a column, from its columns of dY, (m, 1 + n)."""
    own, dZ = [dy[0] for dy in dY], [dy[1:] for dy in dY]
    waves = [angles(x_i, column) for x_i in x]
    dcosines = matmul(dZ, transpose(column["weights"]))
    dangles = [
        [-math.sin(angle) * d for angle, d in zip(row, drow, strict=True)]
        for row, drow in zip(waves, dcosines, strict=True)
    ]
    cosines = [[math.cos(angle) for angle in row] for row in waves]
    scaled = [2 * math.pi * frequency for frequency in column["frequencies"]]
    dx = [d + sum_of_products(row, scaled) for d, row in zip(own, dangles, strict=True)]
    gradients = {
        "frequencies": [2 * math.pi * sum_of_products(d, x) for d in transpose(dangles)],
        "phases": [math.fsum(d) for d in transpose(dangles)],
        "weights": matmul(transpose(cosines), dZ),
        "biases": [math.fsum(d) for d in transpose(dZ)],
    }
    return dx, gradients


def piecewise_backward(dY: Matrix, x: Vector, column: Column) -> tuple[Vector, Column]:
    own, dZ = [dy[0] for dy in dY], [dy[1:] for dy in dY]
    dramps = matmul(dZ, transpose(column["weights"]))
    dx = [
        d + sum_of_products(row, slopes(x_i, column))
        for d, row, x_i in zip(own, dramps, x, strict=True)
    ]
    gradients = {
        "weights": matmul(transpose([ramps(x_i, column) for x_i in x]), dZ),
        "biases": [math.fsum(d) for d in transpose(dZ)],
    }
    return dx, gradients


def table_backward(dY: Matrix, codes: Vector, column: Column) -> tuple[Vector, Column]:
    table = [
        [
            math.fsum(dy[j] for dy, code in zip(dY, codes, strict=True) if int(code) == row)
            for j in range(len(entries))
        ]
        for row, entries in enumerate(column["table"])
    ]
    return [0.0] * len(codes), {"table": table}


def embedding_backward(dY: Matrix, X: Matrix, columns: list[Column]) -> tuple[Matrix, list[Column]]:
    """Give dX and the gradients of all columns."""
    dX, gradients, done = [], [], 0
    for x, column in zip(transpose(X), columns, strict=True):
        width = len(embedded(x[0], column))
        dy = [row[done : done + width] for row in dY]
        done += width
        dx, of_column = backward_of(column)(dy, x, column)
        dX.append(dx)
        gradients.append(of_column)
    return transpose(dX), gradients


def passed_backward(dY: Matrix, x: Vector, column: Column) -> tuple[Vector, Column]:
    return [dy[0] for dy in dY], {}


def backward_of(column: Column) -> Backward:
    kinds = {
        "table": table_backward,
        "boundaries": piecewise_backward,
        "frequencies": periodic_backward,
    }
    return next((kinds[name] for name in kinds if name in column), passed_backward)


def learnt(column: Column) -> Column:
    return {name: array for name, array in column.items() if name != "boundaries"}


def entries_of(columns: list[Column]) -> Vector:
    """All parameters, or gradients, in one list."""
    arrays = [array for column in columns for array in learnt(column).values()]
    return [entry for array in arrays for row in array for entry in as_list(row)]


def with_entries(columns: list[Column], entries: Any) -> list[Column]:
    """The same with the next entries of an iterator."""

    def like(array: Any) -> Any:
        return [like(item) if isinstance(item, list) else next(entries) for item in array]

    return [column | {n: like(array) for n, array in learnt(column).items()} for column in columns]


def as_list(row: Any) -> Vector:
    return row if isinstance(row, list) else [row]
