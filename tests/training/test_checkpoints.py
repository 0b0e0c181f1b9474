"""Checkpoints: what goes on from one ends with the bits of what was never ended."""

import json
import math
import re
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cases import Rng
from rules import RULES

import pymlp
from pymlp import History, Network, NetworkStack, schedules
from pymlp.files.atomic import part_name
from pymlp.training import checkpoint, loop

Fit = dict[str, Any]


class Killed(Exception):  # noqa: N818
    """Ends a training as a kill does, between two epochs."""


def killed_after(epochs: int) -> Callable[[Any, History], None]:
    def callback(network: Any, history: History) -> None:
        if len(history.loss) == epochs:
            raise Killed

    return callback


class Samples:
    def __init__(self, rng: Rng, outputs: int = 3) -> None:
        self.X = rng.normal(size=(61, 4))
        self.y: Any = np.arange(61) % 3
        self.numbers = self.X[:, :1] * 40.0 + 300.0


@pytest.fixture
def samples(rng: Rng) -> Samples:
    return Samples(rng)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.safetensors"


def classifier(**options: Any) -> Network:
    return Network([4, 9, 7, 3], output="softmax", seed=7, **options)


def regressor(**options: Any) -> Network:
    return Network([4, 9, 1], seed=7, **options)


# What a training is, by name: the network, its options, and whether it learns numbers.
KINDS: dict[str, tuple[Callable[[], Network], Callable[[], Fit], bool]] = {
    **{
        f"optimizer {name}": (classifier, lambda rule=rule: {"optimizer": rule.make()}, False)
        for name, rule in RULES.items()
        if "climb" not in name  # which diverges
    },
    "lbfgs": (classifier, lambda: {"optimizer": "lbfgs", "l2": 1e-3}, False),
    "groups": (
        classifier,
        lambda: {"optimizer": pymlp.AdamW(groups={"biases": {"learning_rate": 0.1}})},
        False,
    ),
    "float64": (lambda: classifier(dtype="float64"), dict, False),
    "dropout": (lambda: classifier(dropout=0.3, input_dropout=0.1), dict, False),
    "batch norm": (lambda: classifier(norm="batch"), dict, False),
    "layer norm": (lambda: classifier(norm="layer", scale_inputs=True), dict, False),
    "average": (classifier, lambda: {"average": 0.9}, False),
    "average, batch norm": (lambda: classifier(norm="batch"), lambda: {"average": 0.9}, False),
    "cosine by step": (classifier, lambda: {"schedule": schedules.Cosine(per="step")}, False),
    "schedules": (
        lambda: classifier(dropout=0.3),
        lambda: {
            "optimizer": pymlp.AdamW(0.01),
            "schedule": {
                "learning_rate": schedules.WarmUp(3, then=schedules.Exponential(0.9)),
                "weight_decay": schedules.Function(lambda t: 1 - t),
                "dropout": schedules.FlatCos(),
            },
        },
        False,
    ),
    "own schedule by step": (classifier, lambda: {"schedule": Halved()}, False),
    "plateau": (
        classifier,
        lambda: {"schedule": schedules.ReduceOnPlateau(patience=1, factor=0.5)},
        False,
    ),
    "early stopping": (
        classifier,
        lambda: {"validation": 0.3, "early_stopping": 4, "learning_rate": 0.03},
        False,
    ),
    "metric": (
        classifier,
        lambda: {
            "validation": 0.3,
            "metrics": ["accuracy", "f1"],
            "early_stopping": pymlp.EarlyStopping(6, monitor="accuracy", ties="last"),
        },
        False,
    ),
    "scaled target": (
        regressor,
        lambda: {"scale_target": True, "validation": 0.2, "early_stopping": 30},
        True,
    ),
    "limits": (
        classifier,
        lambda: {"l1": 1e-3, "l2": 1e-3, "clip_norm": 0.5, "max_norm": 1.0, "freeze": [1]},
        False,
    ),
    "weights": (
        classifier,
        lambda: {"class_weight": "balanced", "sample_weight": np.linspace(0.5, 2.0, 61)},
        False,
    ),
    "in order": (classifier, lambda: {"shuffle": False, "drop_last": True}, False),
}


class Halved(schedules.Schedule):
    def __init__(self) -> None:
        super().__init__(per="step")

    def rate_at(self, rate: float, t: int, total: int) -> float:
        return rate / (1 + t // 37)


def same_record(one: History, other: History) -> bool:
    a, b = one.to_dict(), other.to_dict()
    del a["seconds"], b["seconds"]
    return a == b


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("ended", [1, 8, 13])
def test_same_bits_as_without_an_end(
    kind: tuple[Any, Any, bool], ended: int, samples: Samples, path: Path
) -> None:
    make, options, numbers = kind
    X, y = samples.X, samples.numbers if numbers else samples.y
    lbfgs = options().get("optimizer") == "lbfgs"
    kept: Fit = {"checkpoint": path, "checkpoint_every": 3}
    shared: Fit = {"epochs": 16, "batch_size": None if lbfgs else 8}

    whole = make()
    # L-BFGS begins its memory anew after each checkpoint.
    with_file: Fit = {**kept, "checkpoint": f"{path}.whole"} if lbfgs else {}
    expected = whole.fit(X, y, **shared, **options(), **with_file)

    ended = min(ended, len(expected.loss))
    with pytest.raises(Killed):
        make().fit(X, y, **shared, **options(), **kept, callbacks=[killed_after(ended)])
    assert path.exists() == (ended >= 3)

    again = make()
    history = again.fit(X, y, **shared, **options(), **kept, resume=True)
    assert again.parameters.tobytes() == whole.parameters.tobytes()
    assert again.__getstate__()["parameters"].tobytes() == (
        whole.__getstate__()["parameters"].tobytes()
    )
    assert same_record(history, expected)
    assert again.history is history

    at_once = make()
    seen: list[int] = []
    history = at_once.fit(
        X, y, **shared, **options(), **kept, resume=True, callbacks=[lambda *_: seen.append(1)]
    )
    assert seen == []
    assert same_record(history, expected)
    assert at_once.parameters.tobytes() == whole.parameters.tobytes()
    public = pymlp.load(path)
    assert public.parameters.tobytes() == whole.parameters.tobytes()
    # Draws go on as those of the original do.
    assert at_once.__getstate__()["fits"] == whole.__getstate__()["fits"]


def test_many_ends(samples: Samples, path: Path) -> None:
    whole = classifier(dropout=0.2)
    whole.fit(samples.X, samples.y, epochs=20)
    for end in (3, 4, 9, 9, 15, 19):
        with pytest.raises(Killed):
            classifier(dropout=0.2).fit(
                samples.X, samples.y, epochs=20, checkpoint=path, checkpoint_every=1, resume=True,
                callbacks=[killed_after(end + 1)],
            )  # fmt: skip
    again = classifier(dropout=0.2)
    again.fit(samples.X, samples.y, epochs=20, checkpoint=path, resume=True)
    assert again.parameters.tobytes() == whole.parameters.tobytes()


def test_what_is_seen_between_epochs_is_in_the_file(samples: Samples, path: Path) -> None:
    seen: list[Any] = []

    def see(network: Network, history: History) -> None:
        seen.append(network.parameters.copy())
        if len(seen) == 5:
            raise Killed

    with pytest.raises(Killed):
        classifier().fit(
            samples.X, samples.y, average=0.8, checkpoint=path, checkpoint_every=4, callbacks=[see]
        )
    assert pymlp.load(path).parameters.tobytes() == seen[3].tobytes()


def test_file_of_scaled_targets_predicts_in_their_units(samples: Samples, path: Path) -> None:
    with pytest.raises(Killed):
        regressor().fit(
            samples.X, samples.numbers, scale_target=True, epochs=90, learning_rate=0.05,
            checkpoint=path, checkpoint_every=10, callbacks=[killed_after(80)],
        )  # fmt: skip
    error = np.abs(pymlp.load(path).predict(samples.X) - samples.numbers).mean()
    assert error < 15


@pytest.mark.parametrize("where", [5, 40, 159])
def test_an_exception_in_a_step_leaves_the_epoch_before(
    where: int, samples: Samples, path: Path
) -> None:
    calls = 0

    def squared(a: Any, y: Any) -> tuple[Any, Any]:
        nonlocal calls
        calls += 1
        if calls == where:
            raise Killed
        return ((a - y) ** 2).sum(axis=1), 2 * (a - y)

    def fit(network: Network, **options: Any) -> History:
        return network.fit(
            samples.X, samples.y, loss=pymlp.losses.Loss(squared), epochs=40, average=0.9,
            batch_size=16, seed=3, **options,
        )  # fmt: skip

    with pytest.raises(Killed):
        fit(regressor(), checkpoint=path)
    done = (where - 1) // 4
    assert len(pymlp.load(path).parameters) == regressor().n_parameters
    calls = 10**6
    again = regressor()
    assert len(fit(again, checkpoint=path, resume=True).loss) == 40
    assert calls - 10**6 == 4 * (40 - done)
    whole = regressor()
    fit(whole)
    assert again.parameters.tobytes() == whole.parameters.tobytes()


class InterruptedAtTheEnd:
    """A trainer whose run sees an interrupt once its epoch has ended, as short ones do."""

    def __init__(self, trainer: Any, epochs: int) -> None:
        self._trainer, self._left = trainer, epochs

    def __getattr__(self, name: str) -> Any:
        return getattr(self._trainer, name)

    def run(self, epochs: int, seconds: float) -> None:
        self._trainer.run(epochs, seconds)
        self._left -= 1
        if self._left == 0:
            raise KeyboardInterrupt


@pytest.mark.parametrize("epochs", [1, 7, 10, 12])
def test_an_interrupt_at_the_end_of_an_epoch_keeps_it(
    epochs: int, samples: Samples, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options: Fit = {
        "validation": 0.3, "early_stopping": 3, "learning_rate": 0.1, "metrics": "f1",
        "schedule": schedules.ReduceOnPlateau(patience=1), "epochs": 12,
    }  # fmt: skip
    whole = classifier()
    expected = whole.fit(samples.X, samples.y, **options)
    epochs = min(epochs, len(expected.loss))
    make = loop._trainer
    with monkeypatch.context() as patched:
        patched.setattr(loop, "_trainer", lambda *a: InterruptedAtTheEnd(make(*a), epochs))
        ended, seen = classifier(), list[int]()
        with pytest.raises(KeyboardInterrupt):
            ended.fit(
                samples.X, samples.y, checkpoint=path, **options,
                callbacks=[lambda _, history: seen.append(len(history.loss))],
            )  # fmt: skip
    assert ended.history is not None
    assert ended.history.stopped_by == "interrupted"
    assert len(seen) == len(ended.history.metrics["f1"]) == epochs
    stops = epochs == len(expected.loss) and expected.stopped_by == "early_stopping"
    assert path.exists() != stops  # the end comes again
    again = classifier()
    history = again.fit(samples.X, samples.y, checkpoint=path, resume=True, **options)
    assert same_record(history, expected)
    assert again.parameters.tobytes() == whole.parameters.tobytes()


def test_divergence_leaves_the_epoch_before(samples: Samples, path: Path) -> None:
    for _ in range(2):  # which comes again
        net = regressor()
        with pytest.raises(pymlp.TrainingDiverged, match="epoch 7"):
            net.fit(
                samples.X, samples.y, optimizer=pymlp.SGD(1e-3), epochs=40,
                checkpoint=path, resume=True, schedule=schedules.Function(explode),
            )  # fmt: skip
        assert net.history is not None
        assert len(net.history.loss) == 6
        assert pymlp.load(path).parameters.tobytes() == net.parameters.tobytes()


def explode(t: float) -> float:
    return 1.0 if t < 6 / 40 else 1e30


def test_by_time_there_is_one_at_the_end_of_an_epoch(
    samples: Samples, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An epoch that takes longer than a minute is not looked at after every step."""
    written: list[int] = []
    write = checkpoint.Checkpoint.write

    def counted(self: Any) -> None:
        write(self)
        written.append(1)

    kept = checkpoint.Checkpoint(path, None, False)
    assert 59.0 < kept.seconds_left <= 60.0
    assert kept.epochs_left(7) > 10**9
    monkeypatch.setattr(checkpoint, "_SECONDS", -1.0)
    late = checkpoint.Checkpoint(path, None, False)
    assert late.seconds_left == math.inf
    assert late.epochs_left(7) == 1
    monkeypatch.setattr(checkpoint, "_SHARE", 0.0)
    monkeypatch.setattr(checkpoint.Checkpoint, "write", counted)
    with pytest.raises(Killed):
        classifier().fit(
            samples.X, samples.y, checkpoint=path, epochs=50, callbacks=[killed_after(6)]
        )
    assert len(written) == 6  # of five epochs, and once more at the end
    again, whole = classifier(), classifier()
    again.fit(samples.X, samples.y, checkpoint=path, epochs=50, resume=True)
    whole.fit(samples.X, samples.y, epochs=50)
    assert again.parameters.tobytes() == whole.parameters.tobytes()


# ---- more epochs, and less -----------------------------------------------------------------------


def test_more_epochs_go_on(samples: Samples, path: Path) -> None:
    whole, again = classifier(), classifier()
    whole.fit(samples.X, samples.y, epochs=25, schedule=schedules.Step(10))
    again.fit(samples.X, samples.y, epochs=10, schedule=schedules.Step(10), checkpoint=path)
    history = again.fit(
        samples.X, samples.y, epochs=25, schedule=schedules.Step(10), checkpoint=path, resume=True
    )
    assert len(history.loss) == 25
    assert again.parameters.tobytes() == whole.parameters.tobytes()


def test_any_number_of_epochs_may_be_asked_for(samples: Samples, path: Path) -> None:
    for resume in (False, True):
        history = classifier().fit(
            samples.X, samples.y, epochs=2**60, callbacks=[lambda *_: True], checkpoint=path,
            resume=resume,
        )  # fmt: skip
        assert len(history.loss) == 1


def test_more_epochs_are_refused_where_a_schedule_depends_on_them(
    samples: Samples, path: Path
) -> None:
    classifier().fit(samples.X, samples.y, epochs=10, schedule=schedules.Cosine(), checkpoint=path)
    with pytest.raises(ValueError, match=re.escape("schedule['learning_rate'] depends on")):
        classifier().fit(
            samples.X, samples.y, epochs=20, schedule=schedules.Cosine(), checkpoint=path,
            resume=True,
        )  # fmt: skip


def test_fewer_epochs_than_are_done_are_refused(samples: Samples, path: Path) -> None:
    classifier().fit(samples.X, samples.y, epochs=10, checkpoint=path)
    with pytest.raises(ValueError, match="epochs must be at least 10"):
        classifier().fit(samples.X, samples.y, epochs=9, checkpoint=path, resume=True)


def test_what_stopped_early_has_ended(samples: Samples, path: Path) -> None:
    options: Fit = {"validation": 0.3, "early_stopping": 2, "learning_rate": 0.1}
    net = classifier()
    done = len(net.fit(samples.X, samples.y, epochs=200, checkpoint=path, **options).loss)
    assert done < 200
    history = net.fit(samples.X, samples.y, epochs=300, checkpoint=path, resume=True, **options)
    assert (len(history.loss), history.stopped_by) == (done, "early_stopping")


def test_what_the_time_ended_goes_on(samples: Samples, path: Path) -> None:
    first = classifier().fit(samples.X, samples.y, epochs=10**6, checkpoint=path, max_seconds=0.05)
    again = classifier().fit(
        samples.X, samples.y, epochs=10**6, checkpoint=path, max_seconds=0.05, resume=True
    )
    assert again.stopped_by == "max_seconds"
    assert len(again.loss) > len(first.loss)
    assert again.loss[: len(first.loss)] == first.loss
    assert again.seconds > first.seconds


def test_metrics_may_be_others(samples: Samples, path: Path) -> None:
    classifier().fit(samples.X, samples.y, epochs=4, checkpoint=path, metrics="f1")
    history = classifier().fit(
        samples.X, samples.y, epochs=6, checkpoint=path, metrics="accuracy", resume=True
    )
    assert list(history.metrics) == ["accuracy"]
    assert [math.isnan(value) for value in history.metrics["accuracy"]] == [True] * 4 + [False] * 2


def test_draws_without_a_seed_are_those_of_the_file(samples: Samples, path: Path) -> None:
    net = Network([4, 9, 3], output="softmax", dropout=0.5)
    with pytest.raises(Killed):
        net.fit(
            samples.X, samples.y, epochs=12, checkpoint=path, checkpoint_every=5, validation=0.2,
            callbacks=[killed_after(8)],
        )  # fmt: skip
    one, other = (Network([4, 9, 3], output="softmax", dropout=0.5) for _ in range(2))
    kept: Fit = {"epochs": 12, "validation": 0.2, "resume": True}
    file = path.read_bytes()
    first = one.fit(samples.X, samples.y, checkpoint=path, **kept)
    path.write_bytes(file)
    second = other.fit(samples.X, samples.y, checkpoint=path, **kept)
    assert first.loss == second.loss
    assert one.parameters.tobytes() == other.parameters.tobytes()
    assert np.array_equal(first.held_out, second.held_out)  # type: ignore[arg-type]
    assert one.seed == other.seed == net.seed


# ---- another training ----------------------------------------------------------------------------

OTHERS: dict[str, tuple[Fit, str]] = {
    "optimizer": ({"optimizer": pymlp.Adam(1e-3, beta1=0.8)}, "optimizer is Adam(learning_rate"),
    "kind of optimizer": ({"optimizer": "sgd"}, "optimizer is SGD"),
    "learning rate": ({"learning_rate": 0.5}, "optimizer is Adam(learning_rate=0.5"),
    "batch_size": ({"batch_size": 9}, "batch_size is 9, and was 32"),
    "loss": ({"loss": pymlp.losses.CrossEntropy(label_smoothing=0.1)}, "loss is"),
    "seed": ({"seed": 5}, "seed is 5"),
    "shuffle": ({"shuffle": False}, "shuffle is False, and was True"),
    "l2": ({"l2": 0.5}, "l2 is 0.5, and was 0.0"),
    "average": ({"average": 0.5}, "average is 0.5"),
    "freeze": ({"freeze": [0]}, "freeze is [0], and was []"),
    "early stopping": ({"early_stopping": 99}, "early_stopping is"),
    "schedule": ({"schedule": schedules.Step(5)}, "schedule is"),
    "validation": ({"validation": 0.3}, "validation is 0.3, and was None"),
    "class weights": ({"class_weight": {0: 2.0}}, "sample_weight or class_weight has"),
}


@pytest.mark.parametrize(("changed", "message"), OTHERS.values(), ids=OTHERS)
def test_other_options_are_refused(
    changed: Fit, message: str, samples: Samples, path: Path
) -> None:
    classifier().fit(samples.X, samples.y, epochs=2, checkpoint=path)
    before, net = path.read_bytes(), classifier()
    parameters = net.parameters.copy()
    with pytest.raises(ValueError, match=re.escape(message)):
        net.fit(samples.X, samples.y, epochs=2, checkpoint=path, resume=True, **changed)
    assert path.read_bytes() == before
    assert net.parameters.tobytes() == parameters.tobytes()
    assert net.__getstate__()["fits"] == 0


def test_all_that_differs_is_told(samples: Samples, path: Path) -> None:
    classifier().fit(samples.X, samples.y, epochs=2, checkpoint=path)
    with pytest.raises(ValueError, match=r"l1 is .*; l2 is "):
        classifier().fit(
            samples.X, samples.y, epochs=2, checkpoint=path, resume=True, l1=0.1, l2=0.2
        )


@pytest.mark.parametrize("what", ["X", "y", "one weight"])
def test_other_data_are_refused(what: str, samples: Samples, path: Path) -> None:
    X, y, weights = samples.X.copy(), samples.y.copy(), np.ones(61)
    classifier().fit(X, y, sample_weight=weights, epochs=2, checkpoint=path)
    if what == "X":
        X[60, 3] += 1e-3
    elif what == "y":
        y[:2] = y[1::-1]
    else:
        weights[5] = 1.5
    name = {"one weight": "sample_weight or class_weight"}.get(what, what)
    with pytest.raises(ValueError, match=f"another training: {name} has other values$"):
        classifier().fit(X, y, sample_weight=weights, epochs=2, checkpoint=path, resume=True)


ARCHITECTURES: dict[str, tuple[Network, str]] = {
    "widths": (Network([4, 9, 8, 3], output="softmax"), "widths is [4, 9, 8, 3]"),
    "dropout": (classifier(dropout=0.1), "dropout is [0.1, 0.1], and was [0.0, 0.0]"),
    "norm": (classifier(norm="rms"), "norm is 'rms', and was None"),
    "dtype": (classifier(dtype="float64"), "dtype is 'float64', and was 'float32'"),
    "activation": (classifier(hidden="tanh"), "activations is"),
}


@pytest.mark.parametrize(("other", "message"), ARCHITECTURES.values(), ids=ARCHITECTURES)
def test_another_architecture_is_refused(
    other: Network, message: str, samples: Samples, path: Path
) -> None:
    classifier().fit(samples.X, samples.y, epochs=2, checkpoint=path)
    with pytest.raises(ValueError, match=re.escape(message)):
        other.fit(samples.X, samples.y, epochs=2, checkpoint=path, resume=True)


def test_another_arithmetic_is_refused(samples: Samples, path: Path) -> None:
    name: Any = "blas" if pymlp.get_arithmetic() == "exact" else "exact"
    classifier().fit(samples.X, samples.y, epochs=2, checkpoint=path)
    try:
        other = classifier(arithmetic=name)
    except RuntimeError:
        pytest.skip("this build has no BLAS")
    with pytest.raises(ValueError, match=f"arithmetic is '{name}'"):
        other.fit(samples.X, samples.y, epochs=2, checkpoint=path, resume=True)


def test_threads_and_what_looks_may_differ(samples: Samples, path: Path) -> None:
    whole = classifier()
    whole.fit(samples.X, samples.y, epochs=9)
    with pytest.raises(Killed):
        classifier().fit(
            samples.X, samples.y, epochs=9, checkpoint=path, checkpoint_every=2, threads=1,
            callbacks=[killed_after(5)],
        )  # fmt: skip
    again = classifier()
    again.fit(
        samples.X, samples.y, epochs=9, checkpoint=path, checkpoint_every=5, threads=3,
        metrics="accuracy", max_seconds=1e9, resume=True,
    )  # fmt: skip
    assert again.parameters.tobytes() == whole.parameters.tobytes()


# ---- the file ------------------------------------------------------------------------------------


def test_a_file_that_is_there_stays(samples: Samples, path: Path) -> None:
    path.write_text("mine")
    with pytest.raises(FileExistsError, match="is there already"):
        classifier().fit(samples.X, samples.y, checkpoint=path)
    with pytest.raises(pymlp.FileFormatError, match="cut short or not a safetensors file"):
        classifier().fit(samples.X, samples.y, checkpoint=path, resume=True)
    assert path.read_text() == "mine"


def test_a_saved_network_is_no_checkpoint(samples: Samples, path: Path) -> None:
    classifier().save(path)
    with pytest.raises(pymlp.FileFormatError, match="is no checkpoint, but a model"):
        classifier().fit(samples.X, samples.y, checkpoint=path, resume=True)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"checkpoint": 3}, TypeError, "checkpoint must be a path, not int"),
        ({"checkpoint_every": 3}, ValueError, "checkpoint_every needs checkpoint"),
        ({"resume": True}, ValueError, "resume needs checkpoint"),
        ({"checkpoint": "a", "checkpoint_every": 0}, ValueError, "checkpoint_every must be at"),
        ({"checkpoint": "a", "resume": 1}, TypeError, "resume must be"),
        ({"checkpoint": "none/of/these"}, FileNotFoundError, "there is no folder"),
        ({"checkpoint": "/dev/null", "resume": True}, ValueError, "device or pipe"),
        ({"checkpoint": ".", "resume": True}, IsADirectoryError, "is a folder"),
        ({"checkpoint": ""}, ValueError, "must be the path of a file"),
    ],
)
def test_wrong_arguments(
    options: Fit, error: type[Exception], message: str, samples: Samples
) -> None:
    with pytest.raises(error, match=message):
        classifier().fit(samples.X, samples.y, **options)


def test_a_user_activation_cannot_be_written(samples: Samples, path: Path) -> None:
    own = pymlp.Activation(forward=np.tanh, derivative=lambda z: 1 - np.tanh(z) ** 2)
    net = Network([4, 3, 3], hidden=own, output="softmax")
    with pytest.raises(ValueError, match="user function"):
        net.fit(samples.X, samples.y, epochs=1, checkpoint=path)


def test_damaged_checkpoints_are_refused(samples: Samples, path: Path, rng: Rng) -> None:
    """Whatever a file says, it is refused, or training goes on; nothing else comes of it."""
    classifier(norm="batch").fit(
        samples.X, samples.y, epochs=4, checkpoint=path, average=0.9, validation=0.2,
        early_stopping=3,
    )  # fmt: skip
    whole, refused = path.read_bytes(), 0
    for _ in range(300):
        damaged = bytearray(whole)
        for place in rng.integers(0, len(whole), rng.integers(1, 4)):
            damaged[place] = rng.integers(0, 256)
        path.write_bytes(damaged)
        try:
            classifier(norm="batch").fit(
                samples.X, samples.y, epochs=4, checkpoint=path, average=0.9, validation=0.2,
                early_stopping=3, resume=True,
            )  # fmt: skip
        except ValueError:
            refused += 1
    assert refused > 50


NUMBERS: dict[str, Any] = {
    "epochs": 0, "steps": 0, "optimizer_steps": 2**53, "weight_sum": "1", "learning_rate": 0,
    "seed": 2**64, "seconds": -1.0, "stopped_by": "x",
}  # fmt: skip


@pytest.mark.parametrize(("name", "value"), [*NUMBERS.items(), ("steps", 9)])
def test_wrong_numbers_in_a_file_are_refused(
    name: str, value: Any, samples: Samples, path: Path
) -> None:
    from pymlp.files import checkpoint as files

    classifier().fit(samples.X, samples.y, epochs=4, checkpoint=path)
    runs, beside, arrays = files.read(path, stacked=False)
    wrong = runs[0]._replace(numbers=runs[0].numbers | {name: value})
    files.write(path, {0: wrong}, beside, arrays, stacked=False)
    with pytest.raises(pymlp.FileFormatError, match=name):
        classifier().fit(samples.X, samples.y, epochs=6, checkpoint=path, resume=True)


@pytest.mark.parametrize("name", ["arena", "optimizer", "loss", "averaged"])
@pytest.mark.parametrize("fault", ["absent", "longer", "NaN"])
def test_wrong_arrays_in_a_file_are_refused(
    name: str, fault: str, samples: Samples, path: Path
) -> None:
    from pymlp.files import checkpoint as files

    options: Fit = {"epochs": 4, "average": 0.9, "checkpoint": path}
    classifier().fit(samples.X, samples.y, **options)
    runs, beside, arrays = files.read(path, stacked=False)
    own = dict(runs[0].arrays)
    if fault == "absent":
        del own[name]
    elif fault == "longer":
        own[name] = np.append(own[name], own[name][:1])
    else:
        own[name] = own[name].copy()
        own[name][0] = np.nan
    numbers = runs[0].numbers | {"stopped_by": "running"}
    files.write(
        path, {0: runs[0]._replace(arrays=own, numbers=numbers)}, beside, arrays, stacked=False
    )
    with pytest.raises(pymlp.FileFormatError, match=name):
        classifier().fit(samples.X, samples.y, **options | {"epochs": 6}, resume=True)


def test_squares_that_are_infinite_are_kept(path: Path) -> None:
    # A gradient of 1e20, whose square no float32 holds.
    X = np.full((8, 2), 1e20)
    fit: Fit = {"optimizer": "adam", "epochs": 6, "checkpoint": path, "batch_size": 4}
    whole, ended = (Network([2, 1], init="zeros", seed=0) for _ in range(2))
    whole.fit(X, np.ones((8, 1)), **fit)
    assert np.isinf(checkpoint.files.read(path, stacked=False)[0][0].arrays["optimizer"]).any()
    path.unlink()
    with pytest.raises(Killed):
        ended.fit(X, np.ones((8, 1)), **fit, checkpoint_every=1, callbacks=[killed_after(3)])
    ended.fit(X, np.ones((8, 1)), **fit, resume=True)
    assert ended.parameters.tobytes() == whole.parameters.tobytes()


def test_metrics_that_callbacks_add_stay_behind(samples: Samples, path: Path) -> None:
    def add(network: Network, history: History) -> None:
        if len(history.loss) % 2:
            history.metrics.setdefault("own", []).append(0.5)
            history.metrics.setdefault("said", []).append("text")  # type: ignore[arg-type]

    kept: Fit = {"epochs": 9, "metrics": "f1", "checkpoint": path, "checkpoint_every": 2}
    for end in (3, 6):
        with pytest.raises(Killed):
            classifier().fit(
                samples.X, samples.y, **kept, resume=True, callbacks=[add, killed_after(end)]
            )
    history = classifier().fit(samples.X, samples.y, **kept, resume=True)
    assert list(history.metrics) == ["f1"]
    assert len(history.metrics["f1"]) == 9


@pytest.mark.parametrize("name", ["loss", "penalty", "learning_rate", "metrics"])
@pytest.mark.parametrize("spoil", [list.clear, lambda values: values.__setitem__(-1, math.nan)])
def test_a_spoilt_record_does_not_replace_a_good_file(
    name: str, spoil: Callable[[Any], None], samples: Samples, path: Path
) -> None:
    if name in ("learning_rate", "metrics") and spoil is not list.clear:
        return  # these may be NaN

    def after_two(network: Network, history: History) -> None:
        if len(history.loss) > 2:
            values = history.metrics["f1"] if name == "metrics" else getattr(history, name)
            spoil(values)

    kept: Fit = {"epochs": 5, "metrics": "f1", "checkpoint": path, "checkpoint_every": 1}
    with pytest.raises(ValueError, match=r"callback (may have changed|has left)"):
        classifier().fit(samples.X, samples.y, **kept, callbacks=[after_two])
    assert pymlp.load(path).widths == (4, 9, 7, 3)
    assert len(classifier().fit(samples.X, samples.y, **kept, resume=True).loss) == 5


def test_trainings_do_not_write_over_each_other(samples: Samples, path: Path) -> None:
    def other(network: Network, history: History) -> None:
        if len(history.loss) == 2:
            classifier().fit(samples.X, samples.y, epochs=1, checkpoint=path, resume=False)

    with pytest.raises(FileExistsError, match="written by another meanwhile"):
        classifier().fit(samples.X, samples.y, epochs=5, checkpoint=path, callbacks=[other])
    assert len(pymlp.load(path).widths) == 4


def test_an_interrupt_behind_a_writing_does_not_hide_whose_it_is(
    samples: Samples, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, calls = checkpoint.files.write, iter(range(9))

    def interrupted(*arguments: Any, **options: Any) -> None:
        write(*arguments, **options)
        if next(calls) == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(checkpoint.files, "write", interrupted)
    with pytest.raises(KeyboardInterrupt):
        classifier().fit(samples.X, samples.y, epochs=9, checkpoint=path, checkpoint_every=1)
    assert len(pymlp.load(path).widths) == 4


def test_lbfgs_keeps_what_callbacks_move(samples: Samples, path: Path) -> None:
    def move(network: Network, history: History) -> None:
        network.parameters *= 0.999

    fit: Fit = {"optimizer": pymlp.LBFGS(), "epochs": 12, "checkpoint_every": 2, "checkpoint": path}
    whole = classifier()
    whole.fit(samples.X, samples.y, **fit, callbacks=[move])
    path.unlink()
    with pytest.raises(Killed):
        classifier().fit(samples.X, samples.y, **fit, callbacks=[move, killed_after(5)])
    assert path.exists()
    ended = classifier()
    ended.fit(samples.X, samples.y, **fit, callbacks=[move], resume=True)
    assert ended.parameters.tobytes() == whole.parameters.tobytes()


def test_lbfgs_counts_evaluations_where_callbacks_move_it(samples: Samples) -> None:
    def move(network: Network, history: History) -> None:
        network.parameters *= 0.999

    net = classifier()
    history = net.fit(
        samples.X, samples.y, optimizer=pymlp.LBFGS(max_evaluations=7), epochs=50, callbacks=[move]
    )
    assert history.stopped_by == "evaluations"
    assert len(history.loss) < 7


def test_lbfgs_begins_anew_as_often_as_before(samples: Samples, path: Path) -> None:
    fit: Fit = {"optimizer": "lbfgs", "checkpoint": path}
    classifier().fit(samples.X, samples.y, **fit, epochs=4, checkpoint_every=2)
    with pytest.raises(ValueError, match="checkpoint_every is 3, and was 2"):
        classifier().fit(samples.X, samples.y, **fit, epochs=6, checkpoint_every=3, resume=True)


def test_callbacks_may_change_the_working_directory(
    samples: Samples, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "other"
    folder.mkdir()
    monkeypatch.chdir(tmp_path)
    classifier().fit(
        samples.X, samples.y, epochs=3, checkpoint="run", checkpoint_every=1,
        callbacks=[lambda *_: monkeypatch.chdir(folder)],
    )  # fmt: skip
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["other", "run"]


def test_a_link_stays_a_link(samples: Samples, tmp_path: Path, path: Path) -> None:
    target = tmp_path / "far" / "file"
    path.symlink_to(target)
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        classifier().fit(samples.X, samples.y, epochs=1, checkpoint=path)
    target.parent.mkdir()
    for epochs in (1, 2):
        classifier().fit(samples.X, samples.y, epochs=epochs, checkpoint=path, resume=True)
    assert path.is_symlink()
    assert [p.name for p in target.parent.iterdir()] == ["file"]


def test_long_names_are_written(samples: Samples, tmp_path: Path) -> None:
    path = tmp_path / ("n" * 255)
    classifier().fit(samples.X, samples.y, epochs=1, checkpoint=path)
    assert isinstance(pymlp.load(path), Network)
    with pytest.raises(OSError, match="too long"):
        classifier().fit(samples.X, samples.y, checkpoint=tmp_path / ("n" * 256))


def test_memory_is_let_go_between_checkpoints(path: Path) -> None:
    X = np.ones((2, 300), np.float32)
    held: list[float] = []

    def fit(epochs: int) -> None:
        net = Network([300, 300, 300], seed=1)
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        net.fit(
            X, X, epochs=epochs, validation=(X, X), early_stopping=99, checkpoint=path, resume=True,
            checkpoint_every=2,
            callbacks=[lambda *_: held.append(tracemalloc.get_traced_memory()[0] - before)],
        )  # fmt: skip
        tracemalloc.stop()
        assert max(held) < 3 * net.parameters.nbytes  # the best ones, and the last best ones

    fit(5)
    fit(8)


def test_parts_of_another_file_stay(samples: Samples, tmp_path: Path) -> None:
    own, others = (tmp_path / part_name(Path(f"run{x}"), 2**31 - 1, 345) for x in ("", ".2"))
    for part in (own, others):
        part.touch()
    classifier().fit(samples.X, samples.y, epochs=1, checkpoint=tmp_path / "run")
    assert (own.exists(), others.exists()) == (False, True)


# ---- several networks, and models ----------------------------------------------------------------


@pytest.mark.parametrize("ended", [2, 9, 17])
def test_stack_goes_on(ended: int, samples: Samples, path: Path) -> None:
    fold = np.arange(61) % 4
    options: Fit = {
        "epochs": 20, "early_stopping": 3, "learning_rate": 0.03,
        "rows": [fold != i for i in range(4)], "validation_rows": [fold == i for i in range(4)],
    }  # fmt: skip

    def stack() -> NetworkStack:
        return NetworkStack(
            Network([4, 8, 3], output="softmax", dropout=0.1, seed=i) for i in range(4)
        )

    whole, again = stack(), stack()
    expected = whole.fit(samples.X, samples.y, **options)
    kept: Fit = {"checkpoint": path, "checkpoint_every": 2}
    ends = min(ended, max(len(history.loss) for history in expected))
    with pytest.raises(Killed):
        stack().fit(samples.X, samples.y, **options, **kept, callbacks=[killed_after(ends)])
    histories = again.fit(samples.X, samples.y, **options, **kept, resume=True)
    for i in range(4):
        assert same_record(histories[i], expected[i])
        assert again[i].parameters.tobytes() == whole[i].parameters.tobytes()
    assert isinstance(pymlp.load(path), NetworkStack)
    with pytest.raises(pymlp.FileFormatError, match="checkpoint of several networks"):
        classifier().fit(samples.X, samples.y, checkpoint=path, resume=True)
    with pytest.raises(ValueError, match=re.escape("networks[0]: the checkpoint")):
        stack().fit(samples.X, samples.y, **options | {"l2": 0.1}, **kept, resume=True)


@pytest.mark.parametrize("count", [1, 3])
def test_stack_of_another_number_is_refused(count: int, samples: Samples, path: Path) -> None:
    NetworkStack([classifier(), classifier()]).fit(samples.X, samples.y, epochs=1, checkpoint=path)
    with pytest.raises(ValueError, match=f"networks are {count}, and were 2"):
        NetworkStack(classifier() for _ in range(count)).fit(
            samples.X, samples.y, epochs=2, checkpoint=path, resume=True
        )


@pytest.mark.parametrize("model", ["classifier", "regressor"])
@pytest.mark.parametrize("members", [1, 10])
def test_tabular_models_go_on(model: str, members: int, samples: Samples, path: Path) -> None:
    kind = {"classifier": pymlp.TabularClassifier, "regressor": pymlp.TabularRegressor}[model]
    y = samples.y if model == "classifier" else samples.numbers[:, 0]
    table = {"a": samples.X[:, 0], "b": samples.X[:, 1], "c": np.array(list("pqr"))[samples.y]}

    def fitted(**options: Any) -> Any:
        made = kind(epochs=12, hidden_layer_sizes=(6,), n_members=members, random_state=4)
        return made.fit(table, y, **options)

    whole = fitted()
    with pytest.raises(Killed):
        fitted(checkpoint=path, checkpoint_every=2, callbacks=[killed_after(7)])
    for _ in range(2):
        again = fitted(checkpoint=path, resume=True)
        assert np.array_equal(again.predict(table), whole.predict(table))
        for one, other in zip(again.networks_, whole.networks_, strict=True):
            assert one.parameters.tobytes() == other.parameters.tobytes()


def test_tabular_model_goes_on_for_more_epochs(samples: Samples, path: Path) -> None:
    def fitted(epochs: int, **options: Any) -> Any:
        made = pymlp.TabularClassifier(
            epochs=epochs, optimizer="adam", learning_rate=0.01, hidden_layer_sizes=(6,),
            n_members=2, random_state=4,
        )  # fmt: skip
        return made.fit(samples.X, samples.y, **options)

    fitted(4, checkpoint=path)
    again, whole = fitted(9, checkpoint=path, resume=True), fitted(9)
    for one, other in zip(again.networks_, whole.networks_, strict=True):
        assert one.parameters.tobytes() == other.parameters.tobytes()


def test_tabular_model_without_random_state_goes_on(samples: Samples, path: Path) -> None:
    def fitted(**options: Any) -> Any:
        made = pymlp.TabularRegressor(epochs=8, hidden_layer_sizes=(6,), n_members=2)
        return made.fit(samples.X, samples.numbers[:, 0], **options)

    whole = fitted(checkpoint=path)
    again = fitted(checkpoint=path, resume=True)
    assert np.array_equal(again.predict(samples.X), whole.predict(samples.X))


# ---- loops of one's own --------------------------------------------------------------------------


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_network_and_optimizer_in_one_file(rule: Any, samples: Samples, path: Path) -> None:
    def steps(network: Network, optimizer: pymlp.Optimizer, count: int) -> None:
        for i in range(count):
            rows = slice(4 * i, 4 * i + 16)
            network.train_batch(samples.X[rows], samples.y[rows], optimizer=optimizer)

    net, optimizer = classifier(dropout=0.2), rule.make()
    steps(net, optimizer, 5)
    net.save(path, optimizer=optimizer)
    same, kept = pymlp.load(path, optimizer=True)
    assert type(kept) is type(optimizer)
    assert (kept.steps, repr(kept)) == (5, repr(optimizer))
    steps(net, optimizer, 5)
    steps(same, kept, 5)
    assert same.parameters.tobytes() == net.parameters.tobytes()
    assert isinstance(pymlp.load(path), Network)


def test_files_without_an_optimizer(samples: Samples, path: Path) -> None:
    net = classifier()
    net.save(path)
    with pytest.raises(pymlp.FileFormatError, match="has no optimizer"):
        pymlp.load(path, optimizer=True)
    path.unlink()
    net.fit(samples.X, samples.y, epochs=1, checkpoint=path)
    with pytest.raises(pymlp.FileFormatError, match="resume=True"):
        pymlp.load(path, optimizer=True)
    with pytest.raises(TypeError, match="optimizer must be"):
        net.save(path, optimizer="adam")  # type: ignore[arg-type]


def test_another_networks_optimizer_is_not_saved(samples: Samples, path: Path) -> None:
    optimizer = pymlp.Adam()
    classifier().train_batch(samples.X, samples.y, optimizer=optimizer)
    with pytest.raises(ValueError, match="another network"):
        Network([4, 3]).save(path, optimizer=optimizer)
    assert not path.exists()


def test_text_of_a_checkpoint_is_json(samples: Samples, path: Path) -> None:
    from safetensors import safe_open

    classifier().fit(samples.X, samples.y, epochs=3, checkpoint=path)
    with safe_open(path, framework="numpy") as file:
        header = json.loads(file.metadata()["pymlp"])
    assert header["format_version"] == 4
    assert json.loads(header["metadata"]["checkpoint"])["runs"][0]["numbers"]["epochs"] == 3


@pytest.mark.parametrize("name", ["", "a\0b"])
def test_names_of_no_file(name: str, samples: Samples) -> None:
    with pytest.raises(ValueError, match="checkpoint must be the path of a file, not"):
        classifier().fit(samples.X, samples.y, epochs=1, checkpoint=name)


TABLE_PARAMETERS: dict[str, Any] = {
    "random_state": 1, "n_members": 3, "label_smoothing": 0.1, "patience": 2,
    "hidden_layer_sizes": 5, "l2": 0.1, "metric": "accuracy", "ignore": ["b"],
}  # fmt: skip


@pytest.mark.parametrize("name", TABLE_PARAMETERS)
def test_tables_name_the_parameter_that_differs(name: str, path: Path) -> None:
    given: Fit = {"hidden_layer_sizes": 4, "epochs": 2, "random_state": 0, "n_members": 2}
    table = {"a": np.arange(40.0), "b": np.arange(40.0) % 7}
    y = np.arange(40) % 2
    pymlp.TabularClassifier(**given).fit(table, y, checkpoint=path)
    other = pymlp.TabularClassifier(**given | {name: TABLE_PARAMETERS[name]})
    with pytest.raises(ValueError, match=rf"of another training: {name} is .*, and was "):
        other.fit(table, y, checkpoint=path, resume=True)
    pymlp.TabularClassifier(**given | {"random_state": None}).fit(
        table, y, checkpoint=path, resume=True
    )
