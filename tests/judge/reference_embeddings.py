"""The judge of embeddings: columns of the inputs that become several numbers each.

A column is a dict of its parameters by name, in the order of a network's parameters; {} passes as
it is. Of a number x

    periodic     (x, cos(2 pi x frequencies + phases) weights + biases)
    categories   table[x], x being a code

where frequencies and phases have k entries, weights is (k, n), biases has n, and table has a row
for each category. Gradients have the same shape.
"""

import math
from typing import Any

from reference_matrices import Matrix, Vector, matmul, sum_of_products, transpose

Column = dict[str, Any]


def angles(x: float, column: Column) -> Vector:
    pairs = zip(column["frequencies"], column["phases"], strict=True)
    return [2 * math.pi * x * frequency + phase for frequency, phase in pairs]


def embedded(x: float, column: Column) -> Vector:
    if not column:
        return [x]
    if "table" in column:
        return list(column["table"][int(x)])
    cosines = [math.cos(angle) for angle in angles(x, column)]
    weights = zip(transpose(column["weights"]), column["biases"], strict=True)
    return [x, *(sum_of_products([*cosines, 1.0], [*w, b]) for w, b in weights)]


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
        backward = table_backward if "table" in column else periodic_backward
        dx, of_column = backward(dy, x, column) if column else ([row[0] for row in dy], {})
        dX.append(dx)
        gradients.append(of_column)
    return transpose(dX), gradients


def entries_of(columns: list[Column]) -> Vector:
    """All parameters, or gradients, in one list."""
    arrays = [array for column in columns for array in column.values()]
    return [entry for array in arrays for row in array for entry in as_list(row)]


def with_entries(columns: list[Column], entries: Any) -> list[Column]:
    """The same with the next entries of an iterator."""

    def like(array: Any) -> Any:
        return [like(item) if isinstance(item, list) else next(entries) for item in array]

    return [{name: like(array) for name, array in column.items()} for column in columns]


def as_list(row: Any) -> Vector:
    return row if isinstance(row, list) else [row]
