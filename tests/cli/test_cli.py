"""The command line, from the words typed to what is printed, written and returned."""

import csv
import io
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import pymlp
from pymlp.cli import main

DIGITS = Path(__file__).parents[2] / "examples" / "digits.csv"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Run each test in an empty folder of its own."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def pymlp_ok(capsys):
    """Return a function that runs a command line, expects success and returns the output."""

    def run(*words):
        status = main([str(word) for word in words])
        out, err = capsys.readouterr()
        assert (status, err) == (0, "")
        return out

    return run


@pytest.fixture
def pymlp_error(capsys):
    """Return a function that runs a command line, expects one line of complaint and returns it."""

    def run(*words, status=1):
        assert main([str(word) for word in words]) == status
        err = capsys.readouterr().err
        assert re.fullmatch(r"pymlp: error: [^\n]+\n", err)
        return err.removeprefix("pymlp: error: ").rstrip("\n")

    return run


def write(name, header, rows):
    """Write a CSV file, with a header unless that is None."""
    with open(name, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([header, *rows] if header else rows)
    return name


def pets(name="pets.csv", header=("weight", "colour", "pet"), n=120):
    """Write animals of three kinds that weight and colour tell apart."""
    generator = np.random.default_rng(5)
    kinds = [("cat", 4, "grey"), ("dog", 30, "grey"), ("fox", 4, "red")]
    rows = [kinds[i % 3] for i in range(n)]
    return write(
        name, header, [(f"{w * generator.uniform(0.9, 1.1):.3f}", c, k) for k, w, c in rows]
    )


def rents(name="rents.csv", n=400):
    """Write rents that are linear in area, with a rise for one of two cities."""
    area = np.random.default_rng(6).uniform(20, 150, n).round(1)
    rows = [(a, "ZH" if i % 2 else "GE", 500 + 20 * a + 300 * (i % 2)) for i, a in enumerate(area)]
    return write(name, ("area", "city", "rent"), rows)


def parse(output):
    """Return the rows of printed CSV as dictionaries."""
    return list(csv.DictReader(io.StringIO(output)))


def test_digits(pymlp_ok):
    out = pymlp_ok("train", DIGITS, "--target", "digit")
    accuracy = re.search(r"^test +accuracy ([\d.]+) % \((\d+) of (\d+)\)$", out, re.MULTILINE)
    assert float(accuracy[1]) >= 97.0
    assert int(accuracy[3]) == 359
    assert "1,797 rows, 64 input columns, target 'digit' (10 classes)" in out
    assert "64-128-10" in out
    assert re.search(r"^speed +[\d,]+ samples/s, [\d.]+ s of training$", out, re.MULTILINE)
    assert out.endswith("digits.safetensors\n")
    matrix = [line.split() for line in out[out.index("confusion") :].splitlines()[2:12]]
    counts = np.array(matrix, int)[:, 1:]
    assert counts.sum() == 359
    assert counts.trace() == int(accuracy[2])

    rows = parse(pymlp_ok("predict", "digits.safetensors", DIGITS))
    truth = [row["digit"] for row in parse(DIGITS.read_text(encoding="utf-8"))]
    assert [list(row) for row in rows] == [["prediction"]] * 1797
    assert np.mean([row["prediction"] == t for row, t in zip(rows, truth, strict=True)]) > 0.98


def test_numbers_and_categories_tell_classes(pymlp_ok):
    out = pymlp_ok("train", pets(), "--target", "pet", "--out", "model.safetensors")
    assert "accuracy 100.00 % (24 of 24)" in out
    assert "86 to learn from, 10 for validation, 24 for the test" in out
    write("new.csv", ("colour", "name", "weight"), [("red", "x", 4), ("grey", "y", 31)])
    rows = parse(pymlp_ok("predict", "model.safetensors", "new.csv", "--probabilities"))
    assert [row["prediction"] for row in rows] == ["fox", "dog"]
    for row in rows:
        values = {name: float(row[name]) for name in ("cat", "dog", "fox")}
        assert sum(values.values()) == pytest.approx(1.0, abs=1e-5)
        assert max(values, key=values.get) == row["prediction"]


def test_regression_is_scored_and_predicted_in_the_units_of_the_target(pymlp_ok):
    out = pymlp_ok("train", rents(), "--target", "rent", "--dtype", "float64")
    score = re.search(r"^test +RMSE ([\d.]+), MAE ([\d.]+), R2 ([\d.]+) \(80 rows\)", out, re.M)
    assert 0.0 < float(score[2]) <= float(score[1]) < 60.0
    assert 0.99 < float(score[3]) < 1.0
    assert "confusion" not in out
    write("new.csv", ("city", "area"), [("GE", 50), ("ZH", 100)])
    rows = parse(pymlp_ok("predict", "rents.safetensors", "new.csv"))
    np.testing.assert_allclose([float(row["prediction"]) for row in rows], [1500, 2800], rtol=0.03)


def test_task_can_be_said(pymlp_ok):
    rows = [(i % 4 + i % 7 / 100, i % 4) for i in range(200)]
    write("data.csv", ("x", "y"), rows)
    assert "accuracy" in pymlp_ok("train", "data.csv", "--target", "y")
    assert "RMSE" in pymlp_ok("train", "data.csv", "--target", "y", "--task", "regression")


def test_without_a_header_columns_go_by_position(pymlp_ok):
    pets("data.csv", header=None)
    for target in ("2", "-1"):
        out = pymlp_ok("train", "data.csv", "--target", target)
        assert "no header, 120 rows" in out
        assert "accuracy 100.00 %" in out
    write("new.csv", None, [(4, "red"), (30, "grey")])
    rows = parse(pymlp_ok("predict", "data.safetensors", "new.csv"))
    assert [row["prediction"] for row in rows] == ["fox", "dog"]


def test_names_in_the_model_make_the_first_row_a_header(pymlp_ok):
    rows = [("a", "x", "p"), ("b", "x", "q")] * 30
    write("data.csv", ("s", "t", "y"), rows)
    pymlp_ok("train", "data.csv", "--target", "y", "--ignore", "t")
    write("new.csv", ("t", "s"), [("s", "a"), ("x", "b")])
    rows = parse(pymlp_ok("predict", "data.safetensors", "new.csv"))
    assert [row["prediction"] for row in rows] == ["p", "q"]


def test_delimiters(pymlp_ok):
    text = Path(pets()).read_text()
    Path("pets.csv").write_text(text.replace(",", "|"))
    assert "2 input columns" in pymlp_ok("train", "pets.csv", "--target", "pet", "--delimiter", "|")
    Path("pets.tsv").write_text(text.replace(",", "\t"))
    pymlp_ok("predict", "pets.safetensors", "pets.tsv", "--delimiter", "tab")


def test_many_classes_show_the_worst_confusions(pymlp_ok):
    rows = [(i % 30 // 2, f"class {i % 30:02}") for i in range(900)]
    write("data.csv", ("x", "y"), rows)
    out = pymlp_ok("train", "data.csv", "--target", "y")
    worst = out[out.index("confusion") : out.index("speed")].splitlines()[1:]
    assert 1 <= len(worst) <= 10
    counts = [int(re.match(r" +(\d+) times class \d\d taken for class", line)[1]) for line in worst]
    assert counts == sorted(counts, reverse=True)
    assert counts[-1] > 0


def test_options_reach_the_network(pymlp_ok):
    options = "--hidden 7,5 --activation tanh --optimizer sgd --learning-rate 0.1 --epochs 3"
    out = pymlp_ok("train", pets(), "--target", "pet", *options.split(), "--dtype", "float64")
    assert "3-7-5-3, Tanh(), Tanh(), Softmax(), " in out
    assert "float64" in out
    assert "3 epochs, until the last epoch" in out
    assert "3-3, Softmax()" in pymlp_ok("train", "pets.csv", "--target", "pet", "--hidden", "none")


@pytest.mark.parametrize(
    ("flag", "values"),
    [
        ("--batch-size", ("8", "80")),
        ("--patience", ("1", "30")),
        ("--label-smoothing", ("0", "0.3")),
    ],
)
def test_options_change_the_result(pymlp_ok, flag, values):
    generator = np.random.default_rng(7)
    write("noise.csv", ("x", "y"), zip(generator.normal(size=99), "abc" * 33, strict=True))
    models = []
    for value in values:
        pymlp_ok("train", "noise.csv", "--target", "y", "--learning-rate", "0.01", flag, value)
        models.append(pymlp.load("noise.safetensors").parameters)
    assert not np.array_equal(*models)


def test_same_seed_makes_the_same_file(pymlp_ok):
    pets()
    files = []
    for seed in (0, 0, 1):
        pymlp_ok("train", "pets.csv", "--target", "pet", "--seed", seed, "--out", "model")
        files.append(Path("model").read_bytes())
    assert files[0] == files[1] != files[2]


@pytest.mark.parametrize(("share", "n_test"), [("0.5", 60), ("0.1", 12)])
def test_test_fraction(pymlp_ok, share, n_test):
    out = pymlp_ok("train", pets(), "--target", "pet", "--test-fraction", share)
    assert f"{n_test} for the test" in out


def test_no_test_part(pymlp_ok):
    out = pymlp_ok("train", pets(), "--target", "pet", "--test-fraction", "0")
    assert "no rows held out" in out


def test_quiet(pymlp_ok, folder):
    assert pymlp_ok("train", pets(), "--target", "pet", "--quiet") == ""
    assert {path.name for path in folder.iterdir()} == {"pets.csv", "pets.safetensors"}


@pytest.mark.parametrize(
    ("terminal", "options", "shown"), [(True, [], True), (False, [], False), (True, ["-q"], False)]
)
def test_bar_is_for_terminals(monkeypatch, capsys, terminal, options, shown):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    options = ["--quiet" if option == "-q" else option for option in options]
    assert main(["train", pets(), "--target", "pet", *options]) == 0
    assert bool(capsys.readouterr().err) is shown


def test_predictions_to_a_file(pymlp_ok):
    pymlp_ok("train", pets(), "--target", "pet")
    printed = pymlp_ok("predict", "pets.safetensors", "pets.csv")
    assert pymlp_ok("predict", "pets.safetensors", "pets.csv", "--out", "out.csv") == ""
    assert Path("out.csv").read_text(encoding="utf-8") == printed


def test_class_names_that_need_quotes(pymlp_ok):
    rows = [(i % 2, ["big, grey", 'the "fox"'][i % 2]) for i in range(60)]
    write("data.csv", ("x", "y"), rows)
    pymlp_ok("train", "data.csv", "--target", "y")
    predicted = parse(pymlp_ok("predict", "data.safetensors", "data.csv"))
    assert [row["prediction"] for row in predicted] == [row[1] for row in rows]


def test_show(pymlp_ok):
    trained = pymlp_ok("train", pets(), "--target", "pet")
    shown = pymlp_ok("show", "pets.safetensors")
    assert shown.startswith(pymlp.load("pets.safetensors").summary())
    assert re.search(r"^  weight  number, mean [\d.]+, standard deviation [\d.]+$", shown, re.M)
    assert "  colour  one of grey, red\n" in shown
    assert "  pet  one of cat, dog, fox\n" in shown
    for label in ("data", "rows", "training", "test", "confusion"):
        line = re.search(f"^{label} .*$", trained, re.MULTILINE)[0]
        assert line in shown


def test_plain_network(pymlp_ok, pymlp_error):
    network = pymlp.Network([2, 3, 2], seed=1)
    network.save("plain")
    assert "no preprocessing" in pymlp_ok("show", "plain")
    write("new.csv", None, [(1, 2), (3, 4.5)])
    rows = parse(pymlp_ok("predict", "plain", "new.csv"))
    outputs = np.array([[row["output_0"], row["output_1"]] for row in rows], np.float32)
    np.testing.assert_array_equal(outputs, network.predict([[1, 2], [3, 4.5]]))
    write("wide.csv", None, [(1, 2, 3)])
    assert "has 3 columns, the network 2 inputs" in pymlp_error("predict", "plain", "wide.csv")
    assert "plain has no classes" in pymlp_error("predict", "plain", "new.csv", "--probabilities")


GOOD = "x,y\n" + "1,a\n2,b\n" * 20


@pytest.mark.parametrize(
    ("content", "words", "message"),
    [
        (None, "", "data.csv: No such file or directory"),
        ("", "", "data.csv is empty"),
        ("x,y\n1,a\n2\n", "", "data.csv, row 3: 1 cells, where row 1 has 2"),
        (GOOD.replace("y", "yy"), "", "data.csv has no column 'y'; did you mean 'yy'?"),
        ("x,y\n" + "1,a\n" * 9, "", "data.csv: target 'y' has one class only, 'a'"),
        (GOOD + ",a\n", "", "data.csv, row 42, column 'x': missing value"),
        (GOOD + "1,NA\n", "", "data.csv, row 42, column 'y': missing value ('NA')"),
        (GOOD + "inf,a\n", "", "data.csv, row 42, column 'x': 'inf' is not a finite number"),
        (GOOD, "--task regression", "data.csv, row 2, column 'y': 'a' is not a number"),
        (GOOD, "--ignore z", "data.csv has no column 'z'; known: 'x', 'y'"),
        (GOOD, "--ignore x", "data.csv has no column beside the target to learn from"),
        ("x,y\n1,a\n2,b\n", "", "data.csv: 2 rows are too few to hold out a part"),
        (GOOD, "--out none/model", "none: there is no such folder"),
        (GOOD, "--out .", ".: cannot be written to"),
        (GOOD, "--activation rellu", "unknown activation 'rellu'; did you mean 'relu'?"),
        (GOOD, "--optimizer adan", "unknown optimizer 'adan'; did you mean 'adam'?"),
        (GOOD, "--epochs 0", "epochs must be at least 1, not 0"),
    ],
)
def test_train_errors(pymlp_error, folder, content, words, message):
    if content is not None:
        Path("data.csv").write_text(content)
    assert pymlp_error("train", "data.csv", "--target", "y", *words.split()) == message
    assert not list(folder.glob("*.safetensors"))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("", "the following arguments are required: {train,predict,show,bench}"),
        ("trian", "invalid choice: 'trian'"),
        ("train", "the following arguments are required: DATA.csv, --target"),
        ("train x --target y --hidden 1,a", "argument --hidden: invalid widths value: '1,a'"),
        ("train x --target y --test-fraction 1", "must be from 0 to below 1, not 1"),
        ("train x --target y --seed -1", "argument --seed: must be at least 0, not -1"),
        ("train x --target y --task guess", "invalid choice: 'guess'"),
        ("show", "the following arguments are required: MODEL.safetensors"),
        ("bench --seconds 0", "argument --seconds: must be above 0, not 0"),
        ("bench --threads 0", "argument --threads: must be from 1 to 1024, not 0"),
        ("bench --threads 1025", "argument --threads: must be from 1 to 1024, not 1025"),
        ("bench --threads two", "argument --threads: invalid threads value: 'two'"),
    ],
)
def test_usage_errors(pymlp_error, words, message):
    assert message in pymlp_error(*words.split(), status=2)


def test_predict_errors(pymlp_ok, pymlp_error):
    pymlp_ok("train", pets(), "--target", "pet", "--out", "model")
    whole = Path("model").read_bytes()
    Path("short").write_bytes(whole[:-40])
    Path("words").write_text("weights")

    def complaint(content, model="model"):
        Path("new.csv").write_text(content)
        return pymlp_error("predict", model, "new.csv")

    assert complaint("weight,colour\n4,red\n4 kg,red\n") == (
        "new.csv, row 3, column 'weight': '4 kg' is not a number"
    )
    assert complaint("weight,colour\n4,redd\n") == (
        "new.csv, row 2, column 'colour': unknown category 'redd'; did you mean 'red'?"
    )
    assert complaint("wight,x\n4,red\n") == (
        "new.csv has no column 'weight', 'colour'; did you mean 'wight'?"
    )
    for model in ("short", "words"):
        assert f"'{model}' is cut short or not" in complaint("weight,colour\n4,red\n", model)
        assert f"'{model}' is cut short or not" in pymlp_error("show", model)
    assert "none" in complaint("weight,colour\n4,red\n", "none")


def test_regression_has_no_probabilities(pymlp_ok, pymlp_error):
    pymlp_ok("train", rents(), "--target", "rent", "--epochs", "2")
    message = pymlp_error("predict", "rents.safetensors", "rents.csv", "--probabilities")
    assert message.startswith("rents.safetensors has no classes")


def test_preprocessing_of_another_version_is_refused(pymlp_error):
    from pymlp.files import safetensors

    state = pymlp.Network([2, 2]).__getstate__()
    safetensors.write("model", state, {"preprocessing": '{"format": 2}'})
    assert pymlp_error("show", "model").startswith("model: the preprocessing in the model cannot")


def test_divergence_is_one_line(pymlp_error):
    words = "--optimizer sgd --learning-rate 1e30 --activation relu --task regression"
    message = pymlp_error("train", rents(), "--target", "rent", *words.split())
    assert "training diverged" in message


def test_interrupt(monkeypatch, capsys, folder):
    def interrupted(*args, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(pymlp.Network, "fit", interrupted)
    assert main(["train", pets(), "--target", "pet"]) == 130
    assert capsys.readouterr().err == "pymlp: error: interrupted\n"
    assert not list(folder.glob("*.safetensors"))


@pytest.mark.parametrize("words", [["--version"], ["--help"], ["train", "--help"]])
def test_help_and_version(pymlp_ok, words):
    assert "pymlp" in pymlp_ok(*words)


@pytest.mark.parametrize("tasks", [2, pytest.param(None, marks=pytest.mark.slow)])
def test_bench(pymlp_ok, monkeypatch, tasks):
    bench = sys.modules["pymlp.cli.bench"]
    monkeypatch.setattr(bench, "_TASKS", bench._TASKS[:tasks])  # the first ones are the smallest
    output = pymlp_ok("bench", "--seconds", "0.1", "--threads", "1")
    assert output.startswith(f"pymlp         {pymlp.__version__}\n")
    table = output.split("\n\n")[1].splitlines()
    assert re.split("  +", table[0])[1:4] == ["us a step", "samples/s", "GFLOP/s"]
    assert len(table) == 1 + len(bench._TASKS)
    for line in table[1:]:
        assert all(float(cell.replace(",", "")) > 0 for cell in re.split("  +", line)[1:])


def python(*words, **options):
    """Run Python on its own and return what became of it."""
    return subprocess.run(
        [sys.executable, *words], capture_output=True, text=True, timeout=60, **options
    )


def test_module_runs_as_a_command():
    done = python("-m", "pymlp", "train", pets(), "--target", "pet")
    assert (done.returncode, done.stderr) == (0, "")
    assert "accuracy 100.00 %" in done.stdout
    done = python("-m", "pymlp", "show", "none")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("pymlp: error: ")


def test_reader_that_leaves_is_no_error():
    main(["train", pets(n=30_000), "--target", "pet", "--epochs", "1", "--quiet"])
    words = [sys.executable, "-m", "pymlp", "predict", "pets.safetensors", "pets.csv"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"prediction\n"
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no SIGINT to a single process")
def test_ctrl_c_ends_training_cleanly():
    words = [sys.executable, "-m", "pymlp", "train", rents(), "--target", "rent"]
    words += ["--epochs", "1000000", "--patience", "1000000"]
    # A shell's background jobs ignore the signal, and would hand that on.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    finally:
        signal.signal(signal.SIGINT, before)
    with process:
        while not process.stdout.readline().startswith(b"network"):
            pass
        process.send_signal(signal.SIGINT)
        assert process.stderr.read() == b"pymlp: error: interrupted\n"
    assert process.returncode == 130


def test_imports_are_few():
    code = (
        "import sys, pymlp; assert 'pymlp.cli' not in sys.modules; import pymlp.cli; "
        "assert not {'tqdm', 'safetensors', 'sklearn', 'matplotlib'} & set(sys.modules)"
    )
    assert python("-c", code).stderr == ""


def test_lbfgs_takes_all_samples_at_once(pymlp_ok):
    out = pymlp_ok("train", pets(), "--target", "pet", "--optimizer", "lbfgs", "--epochs", "5")
    assert "test       accuracy" in out
