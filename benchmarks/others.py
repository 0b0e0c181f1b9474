"""Tasks that no kernel was tuned to: odd widths, other depths, dtypes, activations and batches."""

from benchmarks.cells import Cell, inference

_NARROW = (
    Cell((3, 5, 2), 1_000, 50),
    Cell((7, 33, 65, 3), 4_800, 96, hidden="sigmoid"),
    Cell((31, 100, 50, 25, 9), 5_000, 50, hidden="tanh"),
    Cell((64, 128, 128, 128, 128, 128, 128, 10), 4_800, 96),
    Cell((11, 13, 17, 19, 23, 29, 1), 6_400, 128, hidden="tanh", output="linear", optimizer="sgd"),
)
_DOUBLE = (
    Cell((13, 64, 64, 1), 4_800, 96, hidden="sigmoid", output="linear", dtype="float64"),
    Cell((90, 200, 75, 5), 5_000, 50, dtype="float64"),
    Cell((256, 512, 512, 16), 4_096, 256, hidden="tanh", dtype="float64"),
)
_RAGGED = (  # the last batch of an epoch has fewer rows
    Cell((20, 40, 40, 3), 1_797, 32, hidden="tanh"),
    Cell((64, 96, 96, 10), 5_000, 96),
    Cell((54, 256, 256, 7), 10_000, 300),
)
_WIDE = (
    Cell((100, 300, 300, 11), 4_800, 96),
    Cell((41, 500, 250, 125, 1), 6_400, 200, hidden="tanh", output="sigmoid"),
    Cell((784, 257, 129, 10), 9_600, 96, hidden="sigmoid", optimizer="sgd"),
)
_WIDER = (
    Cell((60, 777, 333, 4), 4_800, 96),
    Cell((300, 2000, 10), 4_000, 50),
    Cell((1000, 900, 800, 700, 100), 4_096, 512, optimizer="sgd"),
    Cell((479, 1024, 1024, 512, 256, 1), 1_024, 32, output="sigmoid", optimizer="sgd"),
    Cell((1024,) * 4, 1_024, 32, output="linear"),
)
_INFERENCE = (
    inference((31, 100, 50, 25, 9), 1, hidden="tanh"),
    inference((31, 100, 50, 25, 9), 1_000, hidden="tanh"),
    inference((13, 64, 64, 1), 333, hidden="sigmoid", dtype="float64"),
    inference((60, 777, 333, 4), 50),
    inference((784, 512, 512, 10), 4_096),
    inference((8, 256, 128, 16, 1024, 18), 2_048),
    inference((1024, 1024, 32, 6), 1),
    inference((44, 899, 6, 6), 512),
)

OTHERS = _NARROW + _RAGGED + _DOUBLE + _WIDE + _WIDER + _INFERENCE
