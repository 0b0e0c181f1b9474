"""What ends the command line from outside: signals, streams that are closed, devices as files."""

import os
import signal
import stat
import subprocess
import sys
import threading
import time

import pytest

import pymlp
from pymlp.cli import main

TABLE = "a,b,y\n" + "".join(f"{i % 7},{'pqr'[i % 3]},{'uv'[i % 2]}\n" for i in range(40))
COMMAND = [sys.executable, "-m", "pymlp"]


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "model.safetensors"
    table = {"a": [i % 7 for i in range(40)], "b": list("pqrq" * 10)}
    pymlp.TabularClassifier(epochs=1, hidden_layer_sizes=4).fit(table, list("uv" * 20)).save(path)
    return path


def parts(folder):
    return list(folder.glob(".*.part"))


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize(("name", "status"), [("SIGTERM", 143), ("SIGHUP", 129), ("SIGINT", 130)])
def test_signals_leave_no_part_of_a_file(name, status, model, tmp_path):
    out = tmp_path / "out.csv"
    out.write_text("before")
    command = [*COMMAND, "predict", str(model), "-", "--out", str(out), "--force"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        deadline = time.monotonic() + 60
        while not parts(tmp_path) and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        assert parts(tmp_path)
        process.send_signal(getattr(signal, name))
        assert process.wait(60) == status
        assert b"Traceback" not in process.stderr.read()
    assert not parts(tmp_path)
    assert out.read_text() == "before"


def test_handlers_of_signals_are_as_before(model, capsys):
    before = signal.getsignal(signal.SIGTERM)
    assert main(["show", str(model)]) == 0
    assert signal.getsignal(signal.SIGTERM) is before
    found = []
    thread = threading.Thread(target=lambda: found.append(main(["show", str(model)])))
    thread.start()
    thread.join()
    assert found == [0]


@pytest.mark.skipif(os.name == "nt", reason="a shell of POSIX")
@pytest.mark.parametrize(
    ("arguments", "status"), [(["show", "{model}"], 0), (["predict", "{model}", "-"], 1)]
)
def test_streams_that_are_closed(arguments, status, model):
    arguments = [argument.format(model=model) for argument in arguments]
    command = ["sh", "-c", 'exec "$@" <&- >&-', "sh", *COMMAND, *arguments]
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == status
    assert "Traceback" not in done.stderr


def test_letters_that_the_terminal_lacks_do_not_end_a_training(tmp_path):
    data, out = tmp_path / "größe.csv", tmp_path / "model"
    data.write_text(TABLE.replace("a,b,y", "größe,b,y"), encoding="utf-8")
    command = [*COMMAND, "train", str(data), "--target", "y", "--epochs", "1", "--out", str(out)]
    environment = {**os.environ, "PYTHONIOENCODING": "ascii:strict"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "gr\\xf6" in done.stdout
    assert out.exists()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with a name")
def test_what_is_no_file_is_written_to_and_not_replaced(model, tmp_path):
    data, pipe = tmp_path / "data.csv", tmp_path / "pipe"
    data.write_text(TABLE)
    os.mkfifo(pipe)
    net = pymlp.Network([2, 3], seed=0)
    net.save(tmp_path / "net")
    for write, expected in (
        (lambda: main(["predict", str(model), str(data), "--out", str(pipe)]), b"prediction\n"),
        (lambda: net.save(pipe), (tmp_path / "net").read_bytes()),
    ):
        found = []
        reader = threading.Thread(target=lambda into: into.append(pipe.read_bytes()), args=(found,))
        reader.start()
        write()
        reader.join(60)
        assert found[0].startswith(expected)
        assert stat.S_ISFIFO(pipe.stat().st_mode)


# ---- checkpoints ---------------------------------------------------------------------------------

LARGER = "a,b,y\n" + "".join(f"{i % 97},{'pqrst'[i % 5]},{i % 13}\n" for i in range(3000))


def train(folder, *more):
    options = [
        "--target",
        "y",
        "--task",
        "regression",
        "--epochs",
        "40",
        "--seed",
        "1",
        "--members",
        "2",
    ]
    table, out = folder / "table.csv", folder / "model.safetensors"
    table.write_text(LARGER)
    return [*COMMAND, "train", str(table), "--out", str(out), "--force", *options, *more]


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize(("name", "status"), [("SIGTERM", 143), ("SIGKILL", -9)])
def test_train_goes_on_after_a_signal(name, status, tmp_path):
    subprocess.run(train(tmp_path), check=True, capture_output=True)
    model = tmp_path / "model.safetensors"
    expected = model.read_bytes()
    model.unlink()

    checkpoint = tmp_path / "model.safetensors.checkpoint"
    command = train(tmp_path, "--resume", "--checkpoint-every", "1")
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        deadline = time.monotonic() + 60
        while not checkpoint.exists() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.005)
        process.send_signal(getattr(signal, name))
        assert process.wait(60) == status
        assert b"Traceback" not in process.stderr.read()
    assert checkpoint.exists()
    assert not model.exists()

    subprocess.run(command, check=True, capture_output=True)
    assert model.read_bytes() == expected


def test_resume_needs_a_name(tmp_path, capsys):
    table = tmp_path / "table.csv"
    table.write_text(TABLE)
    assert main(["train", str(table), "--target", "y", "--resume"]) == 2
    assert "--resume needs --checkpoint or --out" in capsys.readouterr().err


def test_a_checkpoint_that_is_there_is_not_written_over(tmp_path, capsys):
    table, checkpoint = tmp_path / "table.csv", tmp_path / "kept"
    table.write_text(TABLE)
    checkpoint.write_text("mine")
    arguments = ["train", str(table), "--target", "y", "--out", str(tmp_path / "model")]
    assert main([*arguments, "--checkpoint", str(checkpoint)]) == 1
    assert "is there already" in capsys.readouterr().err
    assert checkpoint.read_text() == "mine"


def test_what_goes_on_writes_over_its_model(tmp_path, capsys):
    table, out = tmp_path / "table.csv", tmp_path / "model.safetensors"
    table.write_text(TABLE)
    command = ["train", str(table), "--target", "y", "--out", str(out), "--resume"]
    for _ in range(2):
        assert main([*command, "--epochs", "3"]) == 0
    assert "s of training since the checkpoint" in capsys.readouterr().out
    before = out.read_bytes()
    table.write_text(TABLE.replace("0", "1"))
    assert main([*command, "--epochs", "3"]) == 1
    assert "of another training" in capsys.readouterr().err
    assert out.read_bytes() == before
    (tmp_path / "model.safetensors.checkpoint").unlink()
    assert main([*command, "--epochs", "3"]) == 1
    assert "exists already; --force replaces it" in capsys.readouterr().err


def test_wrong_names_of_checkpoints(tmp_path, capsys):
    table, out = tmp_path / "table.csv", str(tmp_path / "model.safetensors")
    table.write_text(TABLE)
    command = ["train", str(table), "--target", "y", "--out", out]
    assert main([*command, "--checkpoint", out]) == 1
    assert "in use by this command itself" in capsys.readouterr().err
    assert main([*command, "--checkpoint-every", "2"]) == 2
    assert "--checkpoint-every needs --checkpoint or --resume" in capsys.readouterr().err
