"""The judge of initialisers: the first weights of a layer from n_in inputs to n_out units.

Their variance is chosen so that sums over the inputs (and gradients, over the outputs) keep the
size of their terms: `glorot` 2 / (n_in + n_out) for functions like the identity near 0, `he`
2 / n_in where a half of the units is off, `lecun` 1 / n_in.
"""

import math
import random

Vector = list[float]
Matrix = list[Vector]

DEFAULTS = {"zeros": 0.0, "constant": 0.0, "normal": 0.01, "uniform": 0.05}


def deviation(name: str, n_in: int, n_out: int, scale: float | None = None) -> float:
    """Give the standard deviation; `scale` is that of `normal`, and the bound of `uniform`."""
    family = name.split("_")[0]
    if family == "uniform":
        return (DEFAULTS["uniform"] if scale is None else scale) / math.sqrt(3.0)
    if family == "normal":
        return DEFAULTS["normal"] if scale is None else scale
    variances = {"glorot": 2.0 / (n_in + n_out), "he": 2.0 / n_in, "lecun": 1.0 / n_in}
    return math.sqrt(variances[family])


def random_weights(
    name: str, n_in: int, n_out: int, scale: float | None = None, *, seed: int = 0
) -> Matrix:
    """Give W, (n_in, n_out)."""
    draw = random.Random(seed)
    if name in ("zeros", "constant"):
        return [[scale or 0.0] * n_out for _ in range(n_in)]
    if name == "orthogonal":
        return orthogonal(n_in, n_out, draw)
    sigma = deviation(name, n_in, n_out, scale)
    if name.endswith("uniform"):
        edge = math.sqrt(3.0) * sigma  # uniform in [-a, a] has the variance a^2 / 3
        return [[draw.uniform(-edge, edge) for _ in range(n_out)] for _ in range(n_in)]
    return [[draw.gauss(0.0, sigma) for _ in range(n_out)] for _ in range(n_in)]


def orthogonal(n_in: int, n_out: int, draw: random.Random) -> Matrix:
    """Rows, or columns where they are fewer, of length 1 at right angles to each other."""
    few, many = sorted((n_in, n_out))
    rows: Matrix = []
    while len(rows) < few:  # Gram and Schmidt: take from each draw what the rows before it span
        row = [draw.gauss(0.0, 1.0) for _ in range(many)]
        for other in rows:
            share = math.fsum(x * y for x, y in zip(row, other, strict=True))
            row = [x - share * y for x, y in zip(row, other, strict=True)]
        length = math.hypot(*row)
        rows.append([x / length for x in row])
    return rows if n_in <= n_out else [list(column) for column in zip(*rows, strict=True)]
