"""The tasks that have a mark: a time that pymlp may take at most, where the best peer took another.

Both were measured side by side on one machine, so that what counts is their ratio.
"""

from benchmarks.cells import Cell, Mark, inference

_TRAINING = (
    Cell((2, 4, 3), 300, 300, optimizer="sgd", learning_rate=0.1, mark=Mark(3, 55)),
    Cell((4, 32, 16, 4), 10_000, 10_000, hidden="tanh", mark=Mark(180, 1418)),
    Cell(
        (2, *[8] * 20, 1),
        4_096,
        256,
        hidden="tanh",
        output="linear",
        dtype="float64",
        mark=Mark(45, 301),
    ),
    Cell((17, 64, 64, 6), 4_096, 64, hidden="tanh", mark=Mark(8, 45)),
    Cell((23, 256, 256, 1), 16_384, 256, output="linear", mark=Mark(265, 446)),
    Cell((784, 100, 10), 16_000, 200, mark=Mark(175, 363)),
    Cell((54, 256, 256, 256, 7), 16_384, 256, mark=Mark(530, 1026)),
    Cell(
        (479, 1024, 1024, 512, 256, 1),
        8_192,
        512,
        output="sigmoid",
        optimizer="sgd",
        mark=Mark(13_900, 16_180),
    ),
    Cell((1024,) * 6, 8_192, 1024, output="linear", optimizer="sgd", mark=Mark(66_500, 76_600)),
)

_INFERENCE = (
    inference((17, 64, 64, 6), 1, Mark(0.8, 4.4)),
    inference((17, 64, 64, 6), 256, Mark(6, 19)),
    inference((17, 64, 64, 6), 8_192, Mark(150, 319)),
    inference((54, 256, 256, 256, 7), 1, Mark(3, 8.9)),
    inference((54, 256, 256, 256, 7), 256, Mark(105, 202)),
    inference((54, 256, 256, 256, 7), 8_192, Mark(3_000, 6_269)),
)

MARKS = _TRAINING + _INFERENCE
