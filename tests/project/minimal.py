"""What any installation must do, in a few seconds: run by a Python with the package alone."""

import sys
import tempfile
from pathlib import Path

import numpy as np

import pymlp
from pymlp import cli

CSV = "size,colour,big\n" + "".join(f"{i},{'rb'[i % 2]},{int(i > 30)}\n" for i in range(60))


def network(folder: Path) -> None:
    X = np.arange(60.0).reshape(20, 3) / 60
    y = np.arange(20) % 2
    net = pymlp.Network([3, 8, 2], output="softmax", seed=0)
    net.fit(X, y, epochs=5)
    net.save(folder / "net.safetensors")
    assert (pymlp.load(folder / "net.safetensors").predict(X) == net.predict(X)).all()


def blas() -> None:
    if pymlp.show_config()["blas_library"] == "none":
        return
    net, X = pymlp.Network([50, 20, 3], seed=0), np.ones((7, 50))
    exact = net.predict(X)
    with pymlp.arithmetic("blas"):
        np.testing.assert_allclose(net.predict(X), exact, rtol=1e-4)


def command_line(folder: Path) -> None:
    data, model = folder / "data.csv", folder / "model.safetensors"
    data.write_text(CSV)
    trained = ["train", str(data), "--target", "big", "--out", str(model), "--quality", "fast"]
    for command in (trained, ["predict", str(model), str(data)], ["show", str(model)]):
        assert cli.main(command) == 0, command


def main() -> None:
    print(pymlp.show_config())
    with tempfile.TemporaryDirectory() as name:
        network(Path(name))
        blas()
        command_line(Path(name))
    certificate = pymlp.selftest()
    print(certificate)
    sys.exit(0 if certificate.passed else 1)


if __name__ == "__main__":
    main()
