"""Exclusive or: beyond one layer, within reach of two, and why the hidden one must bend."""

import numpy as np

import pymlp

X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
y = np.array([0, 1, 1, 0])


def trained(widths, hidden="tanh"):
    """Return a network with one sigmoid output, trained on the four rows."""
    net = pymlp.Network(widths, hidden=hidden, output="sigmoid", dtype="float64", seed=0)
    net.fit(X, y, epochs=1000, batch_size=None, learning_rate=0.05)
    return net


print(f"{'wanted':23} {' '.join(f'{p:.2f}' for p in y)}")
for name, net in [
    ("no hidden layer", trained([2, 1])),
    ("4 hidden units, linear", trained([2, 4, 1], "linear")),
    ("4 hidden units, tanh", trained([2, 4, 1])),
]:
    answers = " ".join(f"{p:.2f}" for p in net.predict(X)[:, 0])
    print(f"{name:23} {answers}  loss {net.loss(X, y):.2f}")

# Two linear layers are one: W = W1 W2, b = b1 W2 + b2.
two = pymlp.Network([2, 4, 1], hidden="linear", dtype="float64", seed=0)
one = pymlp.Network([2, 1], dtype="float64", init="zeros")
one.weights[0][:] = two.weights[0] @ two.weights[1]
one.biases[0][:] = two.biases[0] @ two.weights[1] + two.biases[1]
print("two linear layers equal one:", np.allclose(two.predict(X), one.predict(X)))

# Output:
# wanted                  0.00 1.00 1.00 0.00
# no hidden layer         0.50 0.50 0.50 0.50  loss 0.69
# 4 hidden units, linear  0.50 0.50 0.50 0.50  loss 0.69
# 4 hidden units, tanh    0.00 1.00 1.00 0.00  loss 0.00
# two linear layers equal one: True
