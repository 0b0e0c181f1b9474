"""What products by BLAS give, beside the exact ones. A process of its own tells."""

from __future__ import annotations

from typing import Any

import numpy as np

from pymlp import config
from pymlp.certificate import networks
from pymlp.certificate.checksums import extension_hash
from pymlp.certificate.inputs import DTYPES

WIDTHS = [100, 130, 70, 10]


def differences() -> dict[str, float]:
    """Return the largest relative difference of gradients, in units of the last place's half."""
    found = {}
    for dtype in DTYPES:
        net = networks.network(networks.Case(WIDTHS, {}), dtype)
        net.parameters *= 0.125
        samples = networks.samples(net, 150)
        with config.arithmetic("exact"):
            exact = net.gradients(*samples, loss="mse")[1].flat.astype(np.float64)
        with config.arithmetic("blas"):
            other = net.gradients(*samples, loss="mse")[1].flat.astype(np.float64)
        size = np.abs(exact).max() * np.finfo(dtype).eps / 2
        found[dtype] = float(np.abs(exact - other).max() / size)
    return found


def answer() -> dict[str, Any]:
    """Return what a process of its own has found."""
    found = {"extension": extension_hash(), "differences": differences()}
    return {**found, "library": config.show_config()["blas_kernels"]}
