"""Read 8 x 8 images of handwritten digits from digits.csv, learn them, keep the network."""

import tempfile
from pathlib import Path

import numpy as np

import pymlp

table = np.loadtxt(Path(__file__).with_name("digits.csv"), delimiter=",", skiprows=1)
X, y = table[:, :-1] / 16, table[:, -1].astype(int)  # ink from 0 to 1
X_train, y_train, X_test, y_test = X[:1400], y[:1400], X[1400:], y[1400:]

net = pymlp.Network([64, 64, 10], output="softmax", dropout=0.2, seed=0)
history = net.fit(X_train, y_train, epochs=40, learning_rate=0.003)
print(net.summary())
print(f"{len(history.loss)} epochs in {history.seconds:.2f} seconds")

guesses = net.predict(X_test).argmax(axis=1)
print(f"{(guesses == y_test).mean():.1%} of {len(y_test)} images it has not seen")

for row in X_test[0].reshape(8, 8):
    print("|" + "".join(" .:*#"[int(4 * ink)] for ink in row) + "|")
print(f"This is a {y_test[0]}; the network says {guesses[0]}.")

with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "digits.safetensors"
    net.save(path)
    same = pymlp.load(path).predict(X_test)
print("read back, it gives the same bits:", np.array_equal(same, net.predict(X_test)))

# Output:
# layer  activation  weights  biases  parameters
#     1  ReLU()      64 x 64  64           4,160
#     2  Softmax()   64 x 10  10             650
# 4,810 parameters, float32, 19,240 bytes
# 40 epochs in … seconds
# 92.9% of 397 images it has not seen
# |  .*:   |
# | .*..:  |
# | :.  *  |
# | ..  *  |
# |     :  |
# |    :   |
# |   :*   |
# |  .####.|
# This is a 2; the network says 2.
# read back, it gives the same bits: True
