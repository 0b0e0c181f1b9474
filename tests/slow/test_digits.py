"""The first thing that anybody tries: handwritten digits (MNIST's test images, 28 x 28)."""

import gzip
from pathlib import Path

import numpy as np
import pytest

import pymlp

DATA = Path(__file__).parents[3] / "shared" / "data"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not DATA.is_dir(), reason="the images do not lie beside this clone"),
]


def read_idx(name: str, header: int) -> np.ndarray:
    return np.frombuffer(gzip.decompress((DATA / name).read_bytes()), np.uint8, offset=header)


def test_ten_epochs_of_8000_digits() -> None:
    images = read_idx("t10k-images-idx3-ubyte.gz", 16).reshape(10_000, 784)
    X = images.astype(np.float32) / 255
    y = read_idx("t10k-labels-idx1-ubyte.gz", 8).astype(int)
    net = pymlp.Network([784, 128, 10], output="softmax", seed=0)

    net.fit(X[:8000], y[:8000], epochs=10, batch_size=128, learning_rate=0.005)

    accuracy = (net.predict(X[8000:]).argmax(axis=1) == y[8000:]).mean()
    assert accuracy >= 0.955
