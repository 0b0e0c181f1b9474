"""The judge of dropout's draws: which unit of which sample is dropped in which step.

Draws come from Philox4x32-10 (Salmon et al., SC 2011): four words of 32 bits are a function of four
words of a counter and two of a key. Each word gives two draws of 16 bits. Unit j of sample i of a
batch of rows of n units has draw i n + j of its step; draws come in groups of 128, which hold the
words of 16 counters, word by word.
"""

from reference_matrices import Matrix

WORD = 2**32
RANGE = 2**16  # of a draw


def philox(counter: tuple[int, int, int, int], key: tuple[int, int]) -> tuple[int, int, int, int]:
    """Four random words."""
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(10):
        high0, low0 = divmod(0xD2511F53 * c0, WORD)
        high1, low1 = divmod(0xCD9E8D57 * c2, WORD)
        c0, c1, c2, c3 = high1 ^ c1 ^ k0, low1, high0 ^ c3 ^ k1, low0
        k0, k1 = (k0 + 0x9E3779B9) % WORD, (k1 + 0xBB67AE85) % WORD
    return c0, c1, c2, c3


def draw(position: int, seed: int, step: int, layer: int) -> int:
    """The draw at a position of a layer's batch, less than RANGE."""
    group, place = divmod(position, 128)
    word, place = divmod(place, 32)
    lane, half = divmod(place, 2)
    counter = 16 * group + lane
    key = (seed % WORD, seed // WORD ^ (WORD - 1 - layer))
    words = philox((counter % WORD, counter // WORD, step % WORD, step // WORD), key)
    return words[word] // RANGE**half % RANGE


def dropout_mask(m: int, n: int, rate: float, seed: int, step: int, layer: int) -> Matrix:
    """What a layer's outputs (m, n) are multiplied by: 0, or the inverse of the share that stays.

    The rate is rounded to a multiple of 1 / RANGE, and some units always stay.
    """
    dropped = min(int(rate * RANGE + 0.5), RANGE - 1)
    kept = RANGE / (RANGE - dropped)
    return [
        [kept if draw(i * n + j, seed, step, layer) >= dropped else 0.0 for j in range(n)]
        for i in range(m)
    ]
