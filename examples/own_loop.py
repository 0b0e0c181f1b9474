"""A training loop in Python: a learning rate that follows a metric, batch by batch."""

import numpy as np

import pymlp

rng = np.random.default_rng(0)
X = rng.normal(size=(1200, 2))
y = (np.hypot(*X.T) < 1.0).astype(int)  # inside the unit circle
X_test, y_test, X, y = X[:200], y[:200], X[200:], y[200:]


def balanced_accuracy(net):
    """Return the mean over the classes of the share that is right."""
    right = net.predict(X_test).argmax(axis=1) == y_test
    return np.mean([right[y_test == k].mean() for k in (0, 1)])


net = pymlp.Network([2, 16, 2], output="softmax", dtype="float64", seed=0)
optimizer = pymlp.SGD(0.5, momentum=0.9)  # keeps its momentum from call to call
best, waited = 0.0, 0

for epoch in range(1, 41):
    order = rng.permutation(len(X))
    losses = [
        net.train_batch(X[batch], y[batch], optimizer=optimizer)
        for batch in np.array_split(order, 20)
    ]
    score = balanced_accuracy(net)
    best, waited = (score, 0) if score > best else (best, waited + 1)
    if waited == 5:  # five epochs without a gain: go on in smaller steps
        optimizer.learning_rate *= 0.5
        waited = 0
    if epoch % 10 == 0:
        print(f"epoch {epoch}: loss {np.mean(losses):.3f}, balanced accuracy {score:.1%}")

print(f"learning rate at the end: {optimizer.learning_rate:.4f}")

# Output:
# epoch 10: loss 0.032, balanced accuracy 97.7%
# epoch 20: loss 0.029, balanced accuracy 99.2%
# epoch 30: loss 0.020, balanced accuracy 98.5%
# epoch 40: loss 0.019, balanced accuracy 98.5%
# learning rate at the end: 0.0156
