"""Trainings whose process is killed at any moment, and disks that are full."""

import os
import random
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import pymlp
from pymlp.files.atomic import part_name

# A training of a second that writes a checkpoint after every other epoch.
TRAINING = """
import sys
import numpy as np
import pymlp

def training(path, resume):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((2000, 20), dtype=np.float32)
    y = (X[:, :1] * X[:, 1:2] > 0).astype(np.float32)
    net = pymlp.Network([20, 64, 64, 1], output="sigmoid", dropout=0.1, norm="batch", seed=1)
    net.fit(
        X, y, epochs=EPOCHS, batch_size=50, average=0.99, validation=0.2, seed=5,
        early_stopping=pymlp.EarlyStopping(1000),
        schedule={"learning_rate": pymlp.schedules.Cosine(per="step"),
                  "dropout": pymlp.schedules.Function(lambda t: 1 - t)},
        checkpoint=path, checkpoint_every=2, resume=resume,
        callbacks=[lambda n, h: print(len(h.loss), flush=True)],
    )
    return net

if __name__ == "__main__":
    training(sys.argv[1], resume=True)
"""


def code(epochs: int) -> str:
    return TRAINING.replace("EPOCHS", str(epochs))


def whole(epochs: int, path: Path) -> pymlp.Network:
    names: dict[str, object] = {"__name__": "training"}
    exec(code(epochs), names)
    return names["training"](str(path), False)  # type: ignore[operator, no-any-return]


def parts(folder: Path) -> list[Path]:
    return list(folder.glob(".*.part"))


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize(
    "kills", [pytest.param(4, id="4"), pytest.param(60, marks=pytest.mark.slow)]
)
def test_killed_at_any_moment(
    kills: int, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    epochs = 60 if kills < 10 else 400
    path, draws = tmp_path / "run.safetensors", random.Random(kills)
    killed = 0
    while killed < kills:
        command = [sys.executable, "-c", code(epochs), str(path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            if not process.stdout.readline():  # it has ended
                break
            time.sleep(draws.uniform(0.0, 0.25))
            process.kill()
        killed += process.returncode == -signal.SIGKILL
    subprocess.run([sys.executable, "-c", code(epochs), str(path)], check=True, timeout=300)
    assert killed > 0
    assert parts(tmp_path) == []
    capfd.readouterr()
    expected = whole(epochs, tmp_path / "whole.safetensors")
    assert pymlp.load(path).parameters.tobytes() == expected.parameters.tobytes()


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_sigterm_by_default_leaves_a_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "run.safetensors"
    with subprocess.Popen(
        [sys.executable, "-c", code(10**6), str(path)], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        while int(process.stdout.readline()) < 9:
            pass
        process.terminate()
    assert process.returncode == -signal.SIGTERM
    assert isinstance(pymlp.load(path), pymlp.Network)


def network() -> pymlp.Network:
    return pymlp.Network([3, 200, 1], seed=0)


def data() -> tuple[np.ndarray, np.ndarray]:  # type: ignore[type-arg]
    X = np.random.default_rng(0).normal(size=(50, 3))
    return X, X[:, :1]


def fill(path: Path) -> None:
    X, y = data()
    network().fit(X, y, epochs=3, checkpoint=path)


@pytest.mark.skipif(sys.platform != "linux", reason="limits of Linux")
def test_a_file_that_may_not_grow_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "run.safetensors"
    fill(path)
    before = path.read_bytes()
    X, y = data()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) // 2, limits[1]))
    try:
        net = network()
        with pytest.raises(OSError, match="File too large") as caught:
            net.fit(X, y, epochs=6, checkpoint=path, resume=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert caught.value.filename == str(path)
    assert path.read_bytes() == before
    assert parts(tmp_path) == []
    assert net.history is not None
    assert len(net.history.loss) == 6  # what was learnt is in memory


@pytest.mark.skipif(sys.platform != "linux", reason="mounts of Linux")
def test_full_disk_leaves_the_old_file(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a file system can be mounted by root alone")
    try:
        path = disk / "run.safetensors"
        fill(path)
        before = path.read_bytes()
        (disk / "ballast").write_bytes(bytes(64 * 1024 - len(before) - 8192))
        X, y = data()
        with pytest.raises(OSError, match="No space left"):
            network().fit(X, y, epochs=6, checkpoint=path, checkpoint_every=1, resume=True)
        assert path.read_bytes() == before
        assert parts(disk) == []
        (disk / "ballast").unlink()
        history = network().fit(X, y, epochs=6, checkpoint=path, resume=True)
        assert len(history.loss) == 6
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_what_was_left_of_writing_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "run[1].safetensors"
    dead = 2**31 - 1  # more than any process has
    left = tmp_path / part_name(path, dead, 5678)
    other = tmp_path / part_name(tmp_path / "run1.safetensors", dead, 5678)
    being_written = tmp_path / part_name(path, os.getpid(), 5678)
    own_host, other_host = left.name.split(".")[-4], "0123abcd"
    elsewhere, long_ago = (
        tmp_path / left.name.replace(own_host, other_host).replace("5678", number)
        for number in ("5678", "9")
    )
    for file in (left, other, being_written, elsewhere, long_ago):
        file.write_bytes(b"half")
    for file in (being_written, long_ago):
        os.utime(file, (0, time.time() - 100_000))
    fill(path)
    there = [file.exists() for file in (left, other, being_written, elsewhere, long_ago)]
    assert there == [False, True, True, True, False]
