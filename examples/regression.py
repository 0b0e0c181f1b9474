"""Fit a noisy curve; early stopping ends the training when held-out samples no longer gain."""

import numpy as np

import pymlp

rng = np.random.default_rng(0)
x = rng.uniform(-3, 3, (800, 1))
y = np.sin(2 * x) + 0.5 * x + rng.normal(0.0, 0.1, x.shape)

net = pymlp.Network([1, 32, 32, 1], hidden="silu", seed=0)
history = net.fit(
    x,
    y,
    epochs=500,
    learning_rate=0.005,
    validation=0.25,
    early_stopping=pymlp.EarlyStopping(patience=50),
)

grid = np.linspace(-3, 3, 201).reshape(-1, 1)
error = net.predict(grid) - (np.sin(2 * grid) + 0.5 * grid)
print("stopped by", history.stopped_by)
print(f"held-out mse {min(history.val_loss):.3f}; the noise alone has 0.010")
print(f"largest distance from the true curve {np.abs(error).max():.1f}")

# Output:
# stopped by early_stopping
# held-out mse 0.010; the noise alone has 0.010
# largest distance from the true curve 0.1
