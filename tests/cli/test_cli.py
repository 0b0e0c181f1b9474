"""The command line, from the words typed to what is printed, written and returned."""

import csv
import importlib
import io
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import pymlp
from pymlp.cli import main

DIGITS = Path(__file__).parents[2] / "examples" / "digits.csv"


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
    assert "1,797 rows, 65 columns, target 'digit' (10 classes)" in out
    assert "'pixel_0_0': every value is '0' (--keep pixel_0_0 takes it)" in out
    assert "8 of 61-64-64-10" in out
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
    assert "96 to learn from, in 8 folds for validation, 24 for the test" in out
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
    assert 0.99 < float(score[3]) <= 1.0
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
        out = pymlp_ok("train", "data.csv", "--target", target, "--out", "model", "--force")
        assert "no header, 120 rows" in out
        assert "accuracy 100.00 %" in out
    write("new.csv", None, [(4, "red"), (30, "grey")])
    rows = parse(pymlp_ok("predict", "model", "new.csv"))
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
    assert "3 columns" in pymlp_ok("train", "pets.csv", "--target", "pet", "--delimiter", "|")
    Path("pets.tsv").write_text(text.replace(",", "\t"))
    pymlp_ok("predict", "pets.safetensors", "pets.tsv", "--delimiter", "tab")


def test_many_classes_show_the_worst_confusions(pymlp_ok):
    rows = [(i % 30 // 2, f"class {i % 30:02}") for i in range(900)]
    write("data.csv", ("x", "y"), rows)
    out = pymlp_ok("train", "data.csv", "--target", "y")
    worst = out[out.index("confusion") : out.index("speed")].splitlines()[1:]
    assert 1 <= len(worst) <= 10
    counts = [
        int(re.match(r" +(\d+) times? class \d\d taken for class", line)[1]) for line in worst
    ]
    assert counts == sorted(counts, reverse=True)
    assert counts[-1] > 0


def test_options_reach_the_network(pymlp_ok):
    options = "--hidden 7,5 --activation tanh --optimizer sgd --learning-rate 0.1 --epochs 3"
    out = pymlp_ok("train", pets(), "--target", "pet", *options.split(), "--dtype", "float64")
    assert "3-7-5-3, Tanh(), Tanh(), Softmax(), " in out
    assert "float64" in out
    assert "3 epochs of 8 networks, until the last epoch" in out
    assert "3-3, Softmax()" in pymlp_ok("train", "pets.csv", "--target", "pet", "--hidden", "none")


def test_one_network_alone_holds_out_a_tenth(pymlp_ok):
    out = pymlp_ok("train", pets(), "--target", "pet", "--members", "1", "--max-seconds", "60")
    assert "86 to learn from, 10 for validation, 24 for the test" in out
    assert "network    3-64-64-3, " in out


def test_quality_says_what_the_model_is(pymlp_ok):
    fast = pymlp_ok("train", pets(), "--target", "pet", "--quality", "fast")
    assert "network    3 of 3-64-64-3, " in fast
    best = pymlp_ok("train", "pets.csv", "--target", "pet", "--quality", "best", "--epochs", "2")
    assert "network    24 of 3-64-64-3, " in best


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
        out = f"model {value}"
        words = ("--learning-rate", "0.01", "--out", out, flag, value)
        pymlp_ok("train", "noise.csv", "--target", "y", *words)
        models.append(pymlp.load(out).network_.parameters)
    assert not np.array_equal(*models)


def test_same_seed_makes_the_same_file(pymlp_ok):
    pets()
    files = []
    for seed in (0, 0, 1):
        pymlp_ok(
            "train", "pets.csv", "--target", "pet", "--seed", seed, "--out", "model", "--force"
        )
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
    assert shown.startswith(pymlp.load("pets.safetensors").network_.summary())
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


def test_show_tells_how_far_a_checkpoint_is(pymlp_ok):
    X = np.arange(12.0).reshape(6, 2)

    def end(network, history):
        return len(history.loss) == 3

    network = pymlp.Network([2, 3, 1], seed=1)
    with pytest.raises(ZeroDivisionError):
        network.fit(
            X, X[:, 0], epochs=9, checkpoint="run", checkpoint_every=2,
            callbacks=[lambda _, h: 1 / 0 if len(h.loss) == 5 else None],
        )  # fmt: skip
    assert "\na checkpoint: 4 of 9 epochs\n" in pymlp_ok("show", "run")
    networks = pymlp.NetworkStack(pymlp.Network([2, 3, 1], seed=seed) for seed in range(2))
    networks.fit(X, X[:, 0], epochs=9, checkpoint="stack", callbacks=[end])
    assert "\na checkpoint: 2 x 3 of 9 epochs, has ended\n" in pymlp_ok("show", "stack")


def test_show_tells_how_many_networks_have_begun(pymlp_ok):
    calls = []

    def stop(network, history):
        calls.append(network)
        if len(calls) > 5:
            raise ZeroDivisionError

    X = np.random.default_rng(0).normal(size=(60, 2))
    options = {"epochs": 5, "n_members": 3, "optimizer": "lbfgs", "hidden_layer_sizes": 2}
    with pytest.raises(ZeroDivisionError):
        pymlp.TabularRegressor(**options, random_state=0).fit(
            X, X[:, 0], checkpoint="run", checkpoint_every=5, callbacks=[stop]
        )
    assert "\na checkpoint: 1 x 5 of 5 epochs, has ended; 2 x not begun\n" in pymlp_ok(
        "show", "run"
    )


def test_network_of_named_inputs(pymlp_ok, pymlp_error):
    pymlp.Network([2, 3, 1], seed=1, feature_names=["age", "area"]).save("named")
    assert "taken by name as they are" in pymlp_ok("show", "named")
    write("new.csv", ["age", "area"], [(1, 2), (3, 4.5)])
    write("turned.csv", ["area", "more", "age"], [(2, 7, 1), (4.5, 7, 3)])
    assert pymlp_ok("predict", "named", "turned.csv") == pymlp_ok("predict", "named", "new.csv")
    write("other.csv", ["area", "height"], [(2, 1), (4.5, 3)])
    assert "other.csv has no column 'age'" in pymlp_error("predict", "named", "other.csv")


def test_estimator(pymlp_ok, pymlp_error):
    pytest.importorskip("sklearn")
    X = np.arange(12.0).reshape(6, 2)
    pymlp.MLPRegressor(solver="lbfgs", random_state=0).fit(X, X[:, 0]).save("estimator")
    assert "MLPRegressor(random_state=0, solver='lbfgs')" in pymlp_ok("show", "estimator")
    write("new.csv", None, [(1, 2)])
    for words in ((), ("--probabilities",)):
        message = pymlp_error("predict", "estimator", "new.csv", *words)
        assert message.startswith("estimator holds an MLPRegressor, which takes arrays")


GOOD = "x,y\n" + "1,a\n2,b\n" * 20


@pytest.mark.parametrize(
    ("content", "words", "message"),
    [
        (None, "", "data.csv: No such file or directory"),
        ("", "", "data.csv is empty"),
        ("x,y\n1,a\n2\n", "", "data.csv, row 3: 1 cells, where row 1 has 2"),
        (GOOD.replace("y", "yy"), "", "data.csv has no column 'y'; did you mean 'yy'?"),
        (GOOD + "1,NA\n", "--strict", "data.csv, row 42, column 'y': missing, and 0 more"),
        (
            GOOD,
            "--target x --task regression --test-fraction 0.99",
            "--test-fraction 0.99 leaves 1 of 40 rows to learn from; a model needs 2 at least",
        ),
        (
            GOOD,
            "--target x --label-smoothing 0.1 --task regression",
            "--label-smoothing is for classes, and 'x' is of numbers",
        ),
        (
            "x,y\n1,1.5\n2,a\n3,b\n",
            "--task regression",
            "data.csv, row 3, column 'y': 'a'; data.csv, row 4, column 'y': 'b' are no numbers; "
            "mend or empty the cells",
        ),
        (GOOD, "--ignore z,w,x", "data.csv has no column 'z', 'w'; it has 'x', 'y'"),
        (
            GOOD,
            "--ignore x",
            "data.csv has no column to learn from: 'x': left out, as it is ignored (--ignore x "
            "does this)",
        ),
        ("x,y\n,\n,\n", "", "data.csv: target 'y' has no values"),
        (
            "x,y\n1,2020-01-02\n2,2020-01-03\n",
            "",
            "data.csv: target 'y' holds dates, which are no target",
        ),
        (GOOD, "--group z", "data.csv has no column 'z'; it has 'x', 'y'"),
        (
            "x,g,y\n1,,a\n2,1,b\n3,,b\n",
            "--group g",
            "data.csv, row 2, column 'g': missing, and 1 more; each row needs one",
        ),
        ("y\n" + "1\n2\n" * 20, "", "data.csv has no column beside the target"),
        (
            "n,y\n" + "".join(f"{i},{i % 2}\n" for i in range(40)),
            "",
            "data.csv has no column to learn from: 'n': left out, row numbers, 0 to 39 (--keep n "
            "takes it)",
        ),
        (GOOD, "--out none/model", "none: there is no such folder"),
        (GOOD, "--out .", ".: cannot be written to"),
        (GOOD, "--ignore x,y", "--ignore names the target, 'y'"),
        (GOOD, "--group y", "--group names the target, 'y'"),
        (
            GOOD.replace("a", "3.5").replace("b", "4"),
            "--label-smoothing 0.1 --task regression",
            "--label-smoothing is for classes, and 'y' is of numbers",
        ),
        (GOOD, "--sheet two", "sheet must not be given for data.csv, a file of text"),
        (GOOD, "--out data.csv --force", "data.csv: is in use by this command itself"),
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
        ("", "the following arguments are required: {train,predict,show,bench,selftest}"),
        ("trian", "invalid choice: 'trian'"),
        ("train", "the following arguments are required: DATA, --target"),
        ("train x --target y --hidden 1,a", "argument --hidden: must be a whole number, not 'a'"),
        ("train x --target y --epochs 0", "argument --epochs: must be at least 1, not 0"),
        ("train x --target y --batch-size 1e3", "--batch-size: must be a whole number, not '1e3'"),
        ("train x --target y --learning-rate x", "--learning-rate: must be a number, not 'x'"),
        ("train x --target y --test-fraction 1", "must be from 0 to below 1, not 1"),
        ("train x --target y --seed -1", "argument --seed: must be at least 0, not -1"),
        ("train x --target y --task guess", "invalid choice: 'guess'"),
        (
            "train x --target y --activation rellu",
            "unknown activation 'rellu'; did you mean 'relu'?",
        ),
        ("train x --target y --optimizer adan", "unknown optimizer 'adan'; did you mean 'adam'?"),
        ("train x --target y --encoding utf-9", "--encoding: there is none of the name 'utf-9'"),
        (f"train x --target y --epochs {2**63}", f"must be from 1 to {2**63 - 1}, not {2**63}"),
        (f"train x --target y --seed {2**64}", f"must be from 0 to {2**64 - 1}, not {2**64}"),
        ("train x --target y --members 10001", "--members: must be from 1 to 10000, not 10001"),
        ("train x --target y --hidden 9,2147483648", "must be from 1 to 2147483647, not 214748364"),
        ("train x --target y --resume", "--resume needs --checkpoint or --out"),
        ("show", "the following arguments are required: MODEL.safetensors"),
        ("bench --seconds 0", "argument --seconds: must be above 0, not 0"),
        ("bench --threads 0", "argument --threads: must be from 1 to 1024, not 0"),
        ("bench --threads 1025", "argument --threads: must be from 1 to 1024, not 1025"),
        ("bench --threads two", "argument --threads: must be a whole number, not 'two'"),
    ],
)
def test_usage_errors(pymlp_error, words, message):
    assert message in pymlp_error(*words.split(), status=2)


def test_a_model_is_no_table(pymlp_error):
    pymlp.Network([2, 3, 1], seed=1).save("model")
    for words in (("predict", "model", "model"), ("train", "model", "--target", "y")):
        assert pymlp_error(*words).startswith("model begins with bytes that are no text")


def test_predict_errors(pymlp_ok, pymlp_error):
    pymlp_ok("train", pets(), "--target", "pet", "--out", "model")
    whole = Path("model").read_bytes()
    Path("short").write_bytes(whole[:-40])
    Path("words").write_text("weights")

    def complaint(content, model="model", *words):
        Path("new.csv").write_text(content)
        return pymlp_error("predict", model, "new.csv", *words)

    assert complaint("weight,colour\n4,red\n4 kg,red\n", "model", "--strict") == (
        "new.csv, row 3, column 'weight': '4 kg' is not a number"
    )
    assert complaint("weight,colour\n4,redd\n", "model", "--strict") == (
        "new.csv: 1 cell of categories that the training did not have in 'colour' (1): 'redd'"
    )
    assert complaint("weight,colour\n,red\n", "model", "--strict") == (
        "new.csv: 1 missing cell in 'weight' (1)"
    )
    assert complaint("weight,colour\n4\n4,red\n", "model", "--strict") == (
        "new.csv, row 2: 1 cell, not 2"
    )
    assert complaint("wight,x\n4,red\n") == (
        "new.csv lacks columns that the model was trained on: 'weight', 'colour'; it has 'wight', "
        "'x'"
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
    assert pymlp_error("show", "model").startswith("'model': the preprocessing in the model cannot")


def test_divergence_is_one_line(pymlp_error):
    words = "--optimizer sgd --learning-rate 1e30 --activation relu --task regression"
    message = pymlp_error("train", rents(), "--target", "rent", *words.split())
    assert "training diverged" in message


def test_interrupt(monkeypatch, capsys, folder):
    def interrupted(*args, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(pymlp.NetworkStack, "fit", interrupted)
    assert main(["train", pets(), "--target", "pet"]) == 130
    assert capsys.readouterr().err == "pymlp: error: interrupted\n"
    assert not list(folder.glob("*.safetensors"))


@pytest.mark.parametrize("words", [["--version"], ["--help"], ["train", "--help"]])
def test_help_and_version(pymlp_ok, words):
    assert "pymlp" in pymlp_ok(*words)


@pytest.mark.parametrize("tasks", [2, pytest.param(None, marks=pytest.mark.slow)])
def test_bench(pymlp_ok, monkeypatch, tasks):
    bench = importlib.import_module("pymlp.cli.bench")
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


def test_imports_are_few():
    code = (
        "import sys, pymlp; assert 'pymlp.cli' not in sys.modules; import pymlp.cli; "
        "assert not {'tqdm', 'safetensors', 'sklearn', 'matplotlib'} & set(sys.modules)"
    )
    assert python("-c", code).stderr == ""


def test_lbfgs_takes_all_samples_at_once(pymlp_ok):
    out = pymlp_ok("train", pets(), "--target", "pet", "--optimizer", "lbfgs", "--epochs", "5")
    assert "test       accuracy" in out


def test_predictions_on_standard_output_by_name(pymlp_ok):
    pymlp.Network([2, 3, 1], seed=1).save("plain")
    write("new.csv", None, [(1, 2), (3, 4.5)])
    assert pymlp_ok("predict", "plain", "new.csv", "--out", "-") == pymlp_ok(
        "predict", "plain", "new.csv"
    )
    assert not Path("-").exists()
