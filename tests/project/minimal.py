"""What any installation must do, in a few seconds: run by a Python with the package alone.

What parts of the self test may be not run is told; any other must be.
"""

import argparse
import shlex
import sys
import tempfile
from pathlib import Path

import numpy as np

import pymlp
from pymlp import cli
from pymlp.certificate import Certificate, processes

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


def arguments(given: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--may-lack", nargs="*", default=[], metavar="PART", help="names end so")
    parser.add_argument("--must-lack", nargs="*", default=[], metavar="PART", help="likewise")
    parser.add_argument("--emulator", default="", help="what runs this, and is to run processes")
    return parser.parse_args(given)


def unexpected(certificate: Certificate, asked: argparse.Namespace) -> list[str]:
    """Return what of a certificate was not expected of this installation."""
    may, must = tuple(asked.may_lack + asked.must_lack), tuple(asked.must_lack)
    parts = certificate.parts
    missing = [part for part in parts if part.passed is None and not part.name.endswith(may)]
    beyond = [part for part in parts if part.passed is not None and part.name.endswith(must)]
    unknown = [end for end in must if not any(part.name.endswith(end) for part in parts)]
    return [
        *([] if certificate.passed else ["the self test failed"]),
        *(f"must be run: {part.name} ({part.detail})" for part in missing),
        *(f"must not be run: {part.name}" for part in beyond),
        *(f"no part's name ends in: {end}" for end in unknown),
    ]


def main(given: list[str]) -> int:
    asked = arguments(given)
    processes.LAUNCHER = tuple(shlex.split(asked.emulator))
    if asked.emulator:
        processes.SECONDS = 600.0
    print(pymlp.show_config())
    with tempfile.TemporaryDirectory() as name:
        network(Path(name))
        blas()
        command_line(Path(name))
    certificate = pymlp.selftest()
    print(certificate)
    problems = unexpected(certificate, asked)
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
