"""Ten layers of sigmoid, tanh and relu: what is left of the gradient at the first layer."""

import numpy as np

import pymlp

rng = np.random.default_rng(0)
X = rng.normal(size=(256, 8))
y = (X.sum(axis=1) > 0).astype(int)


def diagnosis(hidden):
    """Return the diagnosis of ten layers before training."""
    net = pymlp.Network([8, *[32] * 9, 2], hidden=hidden, output="softmax", seed=0)
    return pymlp.diagnose(net, X, y)


found = {name: diagnosis(name) for name in ("sigmoid", "tanh", "relu")}
print("norm of dW" + "".join(f"{name:>10}" for name in found))
for number, layers in enumerate(zip(*(d.layers for d in found.values()), strict=True), start=1):
    print(f"layer {number:4}" + "".join(f"{layer.dw:10.1e}" for layer in layers))

# From layer to layer the gradient is multiplied by the slope (of sigmoid at most 1/4) and weights.
for name, d in found.items():
    slope = np.mean([layer.slope for layer in d.layers[:-1]])
    kinds = ", ".join(finding.kind for finding in d.findings) or "nothing to report"
    print(f"{name}: mean slope {slope:.2f}; {kinds}")

# Output:
# norm of dW   sigmoid      tanh      relu
# layer    1   1.8e-06   2.6e-01   1.0e+00
# layer    2   5.5e-06   3.0e-01   3.0e+00
# layer    3   2.4e-05   2.4e-01   4.9e+00
# layer    4   1.2e-04   3.0e-01   5.1e+00
# layer    5   4.7e-04   2.7e-01   4.2e+00
# layer    6   1.9e-03   2.8e-01   4.7e+00
# layer    7   8.2e-03   3.2e-01   4.4e+00
# layer    8   4.1e-02   4.5e-01   3.9e+00
# layer    9   1.5e-01   3.8e-01   5.0e+00
# layer   10   3.9e-01   2.3e-01   6.7e+00
# sigmoid: mean slope 0.23; vanishing
# tanh: mean slope 0.90; nothing to report
# relu: mean slope 0.50; nothing to report
