"""The tasks that have a mark: what is asked of pymlp, as a share of the floor and beside its peers.

Shares hold on any machine, where Zen 4 is not named apart; times only on the kind of machine where
they were set, of the Sapphire Rapids class. Ahead of every peer pymlp is asked to be in every task.
"""

from collections.abc import Iterator

from benchmarks.cells import Cell, Mark, inference

_TRAINING = (
    Cell((2, 4, 3), 300, 300, optimizer="sgd", learning_rate=0.1, mark=Mark(microseconds=1.5)),
    Cell((4, 10, 3), 150, 16, mark=Mark(microseconds=0.45)),
    Cell((4, 32, 16, 4), 10_000, 10_000, hidden="tanh", mark=Mark(0.55)),
    Cell(
        (2, *[8] * 20, 1),
        4_096,
        256,
        hidden="tanh",
        output="linear",
        dtype="float64",
        mark=Mark(0.50),
    ),
    Cell((17, 64, 64, 6), 4_096, 64, hidden="tanh", mark=Mark(0.35)),
    Cell((37, 93, 41, 5), 4_800, 96, mark=Mark(0.45)),
    Cell((64, 100, 10), 4_000, 200, mark=Mark(0.45)),
    Cell((23, 256, 256, 1), 16_384, 256, output="linear", mark=Mark(0.75)),
    Cell((784, 100, 10), 16_000, 200, mark=Mark(0.55, zen4_share=0.62)),
    Cell((54, 256, 256, 256, 7), 16_384, 256, mark=Mark(0.75)),
    Cell((128, 128, 128, 1), 8_192, 128, output="linear", dtype="float64", mark=Mark(0.60)),
    Cell((100, 300, 100, 2), 5_000, 50, hidden="sigmoid", mark=Mark(0.55)),
    Cell((784, 512, 512, 10), 6_400, 128, mark=Mark(0.70, zen4_share=0.80)),
    Cell((784, 512, 512, 10), 3_200, 32, mark=Mark(0.45)),
    Cell(
        (479, 1024, 1024, 512, 256, 1),
        4_096,
        512,
        output="sigmoid",
        optimizer="sgd",
        mark=Mark(0.78, zen4_share=0.86),
    ),
    Cell((1024,) * 6, 4_096, 1024, output="linear", optimizer="sgd", mark=Mark(0.84)),
)


def _calls(widths: tuple[int, ...], marks: dict[int, Mark]) -> Iterator[Cell]:
    """Yield a call of `predict` for each number of rows."""
    return (inference(widths, rows, mark) for rows, mark in marks.items())


_INFERENCE = (
    *_calls(
        (17, 64, 64, 6),
        {
            1: Mark(ratio=6, microseconds=0.5),
            16: Mark(),
            256: Mark(microseconds=12),
            8_192: Mark(microseconds=280),
        },
    ),
    *_calls((37, 93, 41, 5), {1: Mark(ratio=4)}),
    *_calls(
        (64, 100, 10),
        {
            1: Mark(ratio=6, microseconds=0.6),
            16: Mark(),
            256: Mark(),
            8_192: Mark(microseconds=480),
        },
    ),
    *_calls(
        (54, 256, 256, 256, 7),
        {
            1: Mark(ratio=3, microseconds=3),
            16: Mark(microseconds=18),
            256: Mark(0.85, microseconds=222),
            8_192: Mark(0.85, microseconds=6_800),
        },
    ),
    *_calls(
        (784, 512, 512, 10),
        {
            1: Mark(ratio=1.3, microseconds=12),
            16: Mark(microseconds=65),
            256: Mark(0.85, microseconds=1_010),
            8_192: Mark(0.85, microseconds=32_500),
        },
    ),
    *_calls(
        (479, 1024, 1024, 512, 256, 1),
        {1: Mark(ratio=1.05), 16: Mark(), 256: Mark(), 2_048: Mark(), 8_192: Mark()},
    ),
)

MARKS = _TRAINING + _INFERENCE
