"""Training and prediction on files as people have them: nothing refused that need not be."""

import csv
import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import pymlp
from pymlp.cli import main


def write(name, text):
    Path(name).write_text(text, encoding="utf-8")
    return name


def rows_of(output):
    return list(csv.DictReader(io.StringIO(output)))


def houses(n=300):
    """Return a table like housing.csv: an id, missing cells, euros, dates, notes, a constant."""
    rng = np.random.default_rng(0)
    area, year = rng.uniform(40, 200, n).round(1), rng.integers(1990, 2024, n)
    lines = ["id;address;area;rooms;sold;heating;country;price"]
    for i in range(n):
        price = 1000 * area[i] + 500 * (year[i] - 1990) + 20_000 * (i % 3)
        euros = f"{price:,.2f} €".translate(str.maketrans(",.", ".,"))
        size = "" if i % 9 == 4 else str(area[i]).replace(".", ",")
        words = " ".join(rng.choice(["sunny", "small", "large", "old", "by the lake"], 5))
        heating = ["oil", "gas", "wood"][i % 3]
        sold = f"{1 + i % 28}.{1 + i % 12}.{year[i]}"
        lines.append(f"{i + 1};{words} {i};{size};{i % 5 + 1};{sold};{heating};CH;{euros}")
    return "\n".join(lines) + "\n"


def test_a_file_with_everything_trains_and_says_what_it_did(pymlp_ok):
    out = pymlp_ok("train", write("houses.csv", houses()), "--target", "price")
    assert "300 rows, 8 columns, target 'price' (amounts)" in out
    left_out = out[out.index("left out") : out.index("missing ")]
    assert "'id': row numbers, 1 to 300 (--keep id takes it)" in left_out
    assert "'address': free text" in left_out
    assert "'country': every value is 'CH' (--keep country takes it)" in left_out
    assert "missing    'area': 33 of 300, taken as the median, an input says so" in out
    assert "2 numbers, 1 category, 1 date; beyond 3 standard deviations numbers grow like" in out
    assert "RMSE" in out
    assert "95 % interval of the RMSE" in out
    baseline = float(out.split("baseline   RMSE ")[1].split(",")[0])
    score = float(out.split("test       RMSE ")[1].split(",")[0])
    assert score < baseline / 2


def test_what_is_left_out_can_be_kept_and_ignored(pymlp_ok):
    write("houses.csv", houses())
    words = ("--ignore", "address,sold", "--keep", "id", "--epochs", "1", "--json")
    facts = json.loads(pymlp_ok("train", "houses.csv", "--target", "price", *words))
    kinds = {column["name"]: column["kind"] for column in facts["columns"]}
    assert kinds == {
        "id": "number",
        "address": "left out",
        "area": "number",
        "rooms": "number",
        "sold": "left out",
        "heating": "category",
        "country": "left out",
    }
    words = ("--categorical", "rooms", "--ignore", "1", "--ignore", "-2", "--epochs", "1", "--json")
    facts = json.loads(pymlp_ok("train", "houses.csv", "--target", "price", *words))
    kinds = {column["name"]: column["kind"] for column in facts["columns"]}
    assert (kinds["rooms"], kinds["address"], kinds["country"]) == (
        "category",
        "left out",
        "left out",
    )


GOOD = "age,city,pet\n" + "31,Bern,cat\n4,Rome,dog\n,Bern,cat\n7,,dog\n30,Bern,cat\n" * 12


@pytest.fixture
def pets(pymlp_ok):
    """Write pets.csv and train pets.safetensors."""
    pymlp_ok("train", write("pets.csv", GOOD), "--target", "pet")


def test_bad_cells_and_new_categories_do_not_refuse_the_file(pets, pymlp_told):
    write("new.csv", "age,city\n31,Bern\n4 kg,Rome\n,Oslo\n5\n5,Rome,x\n4,Rome\n")
    out, err = pymlp_told("predict", "pets.safetensors", "new.csv")
    predicted = [row["prediction"] for row in rows_of(out)]
    assert predicted[0] == "cat"
    assert predicted[1] == predicted[3] == predicted[4] == ""
    assert predicted[2] in ("cat", "dog")
    assert predicted[5] == "dog"
    assert err == (
        "pymlp: 1 missing cell in 'age' (1)\n"
        "pymlp: 1 cell of categories that the training did not have in 'city' (1): 'Oslo'\n"
        "pymlp: 3 rows without a prediction: new.csv, row 5: 1 cell, not 2; new.csv, row 6: 3 "
        "cells, not 2; new.csv, row 3, column 'age': '4 kg' is not a number\n"
    )
    out, _ = pymlp_told("predict", "pets.safetensors", "new.csv", "--probabilities")
    rows = rows_of(out)
    assert list(rows[1].values()) == ["", "", ""]
    assert float(rows[0]["cat"]) + float(rows[0]["dog"]) == pytest.approx(1, abs=1e-5)


def test_no_row_can_be_predicted(pets, pymlp_told):
    write("new.csv", "age,city\nx,Bern\n")
    out, err = pymlp_told("predict", "pets.safetensors", "new.csv")
    assert rows_of(out) == [{"prediction": ""}]
    assert "1 row without a prediction" in err


def test_columns_are_carried_over(pets, pymlp_ok, pymlp_error):
    write("new.csv", "name,age,id,city\nMia,31.50,007,Bern\nLeo,4,008,Rome\n")
    out = pymlp_ok("predict", "pets.safetensors", "new.csv", "--keep", "id,name", "--keep", "age")
    assert out == "id,name,age,prediction\n007,Mia,31.50,cat\n008,Leo,4,dog\n"
    message = pymlp_error("predict", "pets.safetensors", "new.csv", "--keep", "idd,names,age")
    assert message == "new.csv has no column 'idd', 'names'; did you mean 'id'?"


def test_standard_input(pets, pymlp_ok, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"age,city\n31,Bern\n4,Rome\n")))
    assert pymlp_ok("predict", "pets.safetensors", "-") == "prediction\ncat\ndog\n"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(GOOD.encode())))
    assert pymlp_ok("train", "-", "--target", "pet").endswith("model.safetensors\n")


def test_pieces_of_a_file_are_predicted_as_the_whole(pets, pymlp_told, monkeypatch):
    write("new.csv", "age,city\n" + "31,Bern\n4 kg,Rome\n,Oslo\n4,Rome\n" * 500)
    whole = pymlp_told("predict", "pets.safetensors", "new.csv")
    table = sys.modules["pymlp.tabular.reading.table"]
    monkeypatch.setitem(table.read_pieces.__kwdefaults__, "size", 1000)
    assert pymlp_told("predict", "pets.safetensors", "new.csv").out == whole.out
    assert "500 rows without a prediction" in whole.err
    assert "1,500" not in whole.err


def test_a_model_remembers_how_its_numbers_and_dates_are_written(pymlp_ok):
    pymlp_ok("train", write("houses.csv", houses()), "--target", "price", "--out", "model")
    line = "area;rooms;sold;heating\n{};3;1.2.2020;gas\n"
    write("comma.csv", line.format("1.100,5"))
    write("alone.csv", line.format("1.100"))  # a thousand and a hundred
    write("point.csv", line.format("1100.0").replace("1.2.2020", "2020-02-01"))
    comma, alone = (
        float(pymlp_ok("predict", "model", name).split()[1]) for name in ("comma.csv", "alone.csv")
    )
    assert comma == pytest.approx(alone, rel=1e-3)
    point = pymlp_ok("predict", "model", "point.csv", "--decimal", ".")
    assert float(point.split()[1]) == alone


def test_prediction_in_python_is_that_of_the_command(pets, pymlp_ok):
    write("new.csv", "city,age\nBern,31\nRome,\n,4\n")
    status = main(["predict", "pets.safetensors", "new.csv", "--probabilities", "--out", "p.csv"])
    assert status == 0
    rows = rows_of(Path("p.csv").read_text(encoding="utf-8"))
    model = pymlp.load("pets.safetensors")
    frame = {"age": [31, None, 4], "city": ["Bern", "Rome", None]}
    assert [row["prediction"] for row in rows] == model.predict(frame).tolist()
    probabilities = np.array([[row["cat"], row["dog"]] for row in rows], np.float32)
    np.testing.assert_array_equal(probabilities, model.predict_proba(frame))


# ---- the test part -------------------------------------------------------------------------------


def test_groups_stay_together(pymlp_ok):
    lines = [f"{i % 7},{i * 7 % 41},{'ab'[i % 2]}" for i in range(140)]
    write("data.csv", "g,x,y\n" + "\n".join(lines) + "\n")
    out = pymlp_ok("train", "data.csv", "--target", "y", "--group", "g")
    assert "20 for the test (whole groups of 'g', drawn at random)" in out
    assert "'g'" not in out.split("inputs")[1].split("rows")[0]


def test_groups_of_a_file_without_names(pymlp_ok):
    lines = [f"{i % 7},{i * 7 % 41},{i * 7 % 41 * 2.5},{i % 3}" for i in range(140)]
    write("data.csv", "\n".join(lines) + "\n")
    pymlp_ok("train", "data.csv", "--target", "2", "--group", "0", "--categorical", "3")
    write("new.csv", "\n".join(line.split(",")[1] + ",0" for line in lines) + "\n")
    write("more.csv", "\n".join(",".join(line.split(",")[:2]) + ",0" for line in lines) + "\n")
    first = pymlp_ok("predict", "data.safetensors", "new.csv")
    assert pymlp_ok("predict", "data.safetensors", "more.csv") == first
    Path("more.csv").write_text("\n".join(line[:-1] + "0" for line in lines) + "\n")
    assert pymlp_ok("predict", "data.safetensors", "more.csv") == first


def test_the_latest_rows_are_the_test(pymlp_ok):
    lines = [f"2020-{1 + i % 12:02}-{1 + i % 28:02},{i},{i * 2.5}" for i in range(100)]
    write("data.csv", "when,x,y\n" + "\n".join(lines) + "\n")
    out = pymlp_ok("train", "data.csv", "--target", "y", "--time", "when")
    assert "for the test (the latest by 'when')" in out


# ---- what is written -----------------------------------------------------------------------------


def test_no_model_is_written_over(pymlp_ok, pymlp_error):
    write("pets.csv", GOOD)
    words = ("train", "pets.csv", "--target", "pet", "--epochs", "1")
    assert pymlp_ok(*words).endswith("model      pets.safetensors\n")
    assert pymlp_ok(*words).endswith("model      pets-2.safetensors\n")
    assert pymlp_ok(*words).endswith("model      pets-3.safetensors\n")
    before = Path("pets.safetensors").read_bytes()
    message = pymlp_error(*words, "--out", "pets.safetensors", "--seed", "5")
    assert message == "pets.safetensors: exists already; --force replaces it"
    assert Path("pets.safetensors").read_bytes() == before
    pymlp_ok(*words, "--out", "pets.safetensors", "--seed", "5", "--force")
    assert Path("pets.safetensors").read_bytes() != before


def test_no_predictions_are_written_over_or_half(pets, pymlp_ok, pymlp_error, folder):
    write("new.csv", "age,city\n31,Bern\n")
    write("out.csv", "mine")
    words = ("predict", "pets.safetensors", "new.csv", "--out", "out.csv")
    assert pymlp_error(*words) == "out.csv: exists already; --force replaces it"
    write("bad.csv", "age,city\n" + "31,Bern\n" * 10 + "x,Bern\n")
    pymlp_error("predict", "pets.safetensors", "bad.csv", "--strict", "--out", "out.csv", "--force")
    assert Path("out.csv").read_text() == "mine"
    pymlp_ok(*words, "--force")
    assert Path("out.csv").read_text() == "prediction\ncat\n"
    for used in ("pets.safetensors", "new.csv"):
        message = pymlp_error(*words[:3], "--out", used, "--force")
        assert message == f"{used}: is in use by this command itself"
    assert not list(folder.glob(".*part"))


def test_report_as_json(pymlp_ok):
    write("pets.csv", GOOD)
    facts = json.loads(pymlp_ok("train", "pets.csv", "--target", "pet", "--json"))
    assert facts["data"]["rows"] == 60
    assert facts["test"]["rows"] == facts["rows"]["test"] == 12
    assert 0 <= facts["test"]["interval"][0] <= facts["test"]["accuracy"]
    assert facts["test"]["baseline"]["prediction"] == "cat"
    assert [figures["name"] for figures in facts["test"]["classes"]] == ["cat", "dog"]
    assert facts["model"] == "pets.safetensors"
    shown = json.loads(pymlp_ok("show", "pets.safetensors", "--json"))
    assert shown == {name: facts[name] for name in shown}


def test_curve_as_a_picture(pymlp_ok, pymlp_error):
    pytest.importorskip("matplotlib")
    write("pets.csv", GOOD)
    words = ("train", "pets.csv", "--target", "pet", "--epochs", "2", "--plot", "curve.png")
    assert "curve      curve.png" in pymlp_ok(*words)
    assert Path("curve.png").read_bytes().startswith(b"\x89PNG")
    assert pymlp_error(*words) == "curve.png: exists already; --force replaces it"
    for name in ("curve", "curve.xyz"):
        message = pymlp_error(*words[:-1], name, "--out", "curve.model", status=2)
        assert message.startswith(f"--plot {name}: the ending must be one of ")
    message = pymlp_error(*words, "--out", "curve.png", "--force")
    assert message == "curve.png: is in use by this command itself"
    assert not Path("curve.model").exists()


# ---- the report ----------------------------------------------------------------------------------


def test_a_loss_that_was_still_falling_is_said(pymlp_ok):
    rows = "".join(f"{i / 100},{i / 50}\n" for i in range(200))
    words = ("--target", "y", "--task", "regression", "--optimizer", "sgd", "--epochs", "20")
    out = pymlp_ok("train", write("line.csv", "x,y\n" + rows), *words, "--learning-rate", "1e-4")
    assert "20 epochs of 5 networks, until the last epoch\n" in out
    assert "the loss was still falling: --epochs says how many there may be" in out


def test_long_cells_are_cut(pymlp_ok, pymlp_error):
    long = "word " * 1000
    rows = "".join(f"{i * 7 % 41},{long},{long if i % 2 else 'b'}\n" for i in range(40))
    out = pymlp_ok("train", write("long.csv", "x,t,y\n" + rows), "--target", "y")
    assert max(map(len, out.splitlines())) < 200
    assert max(map(len, pymlp_ok("show", "long.safetensors").splitlines())) < 200
    rows = "".join(f"{i},{long}{i}\n" for i in range(40))
    assert len(pymlp_error("train", write("names.csv", "x,y\n" + rows), "--target", "y")) < 300


def test_rows_without_a_target_are_left_out(pymlp_ok):
    out = pymlp_ok("train", write("pets.csv", GOOD + "5,Bern,\n5,Bern,NA\n"), "--target", "pet")
    assert "60 rows" in out
    assert "2 rows without a target left out" in out


def test_texts_among_the_numbers_of_a_target_are_refused(pymlp_error):
    rows = "".join(f"{i},{i * 1.5 if i != 7 else 'x'}\n" for i in range(50))
    message = pymlp_error("train", write("data.csv", "x,y\n" + rows), "--target", "y")
    assert message == (
        "data.csv, row 9, column 'y': 'x' is not a number; mend or empty the cells or --task "
        "classification"
    )


def test_texts_among_numbers_are_told(pymlp_ok, pymlp_told, pymlp_error):
    rows = "".join(f"{i if i != 7 else '1O'},{'ab'[i % 2]}\n" for i in range(50))
    out = pymlp_ok("train", write("data.csv", "x,y\n" + rows), "--target", "y")
    assert "texts      'x': '1O' counts as missing" in out
    write("new.csv", 'x\n1O\n""\nll\n')  # as in the training, missing, and new
    out, told = pymlp_told("predict", "data.safetensors", "new.csv")
    same, missing, new = out.splitlines()[1:]
    assert same == missing != new == '""'
    assert "2 missing cells in 'x' (2)" in told
    assert "1 row without a prediction: new.csv, row 4, column 'x': 'll' is not a number" in told
    message = pymlp_error("train", "data.csv", "--target", "y", "--strict", "--test-fraction", "0")
    assert message == "data.csv, row 9, column 'x': '1O' is not a number (1 such cells)"


def test_latin_1_is_read_and_said(pymlp_ok):
    text = "grösse;stadt\n" + "1,5;Zürich\n2,5;Genf\n" * 20
    Path("data.csv").write_bytes(text.encode("latin-1"))
    out = pymlp_ok("train", "data.csv", "--target", "stadt")
    assert "it is no UTF-8 and was read as Windows-1252; --encoding names another one" in out
    assert "Zürich" in out


# ---- Ctrl-C --------------------------------------------------------------------------------------


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no SIGINT to a single process")
def test_ctrl_c_keeps_the_best_model_so_far(pymlp_told):
    write("pets.csv", GOOD)
    words = [sys.executable, "-u", "-m", "pymlp", "train", "pets.csv", "--target", "pet"]
    words += ["--epochs", "10000000", "--patience", "10000000"]
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    finally:
        signal.signal(signal.SIGINT, before)
    with process:
        while not process.stdout.readline().startswith(b"network"):
            pass
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
    assert process.returncode == 130
    if err:  # it came before the first epoch had ended
        assert err == b"pymlp: error: interrupted\n"
    else:
        assert b"until Ctrl-C; the best parameters so far are kept" in out
        assert "prediction" in pymlp_told("predict", "pets.safetensors", "pets.csv").out


def test_an_interrupt_after_some_epochs_keeps_the_model(monkeypatch, capsys):
    write("pets.csv", GOOD)
    fit = pymlp.NetworkStack.fit

    def interrupted(stack, *args, **options):
        fit(stack, *args, **{**options, "epochs": 5})
        raise KeyboardInterrupt

    monkeypatch.setattr(pymlp.NetworkStack, "fit", interrupted)
    assert main(["train", "pets.csv", "--target", "pet"]) == 130
    out, err = capsys.readouterr()
    assert err == ""
    assert "5 epochs of 8 networks, until Ctrl-C; the best parameters so far are kept" in out
    monkeypatch.setattr(pymlp.NetworkStack, "fit", fit)
    assert main(["predict", "pets.safetensors", "pets.csv"]) == 0
