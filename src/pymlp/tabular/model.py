"""A model of a table: encoder, network and target as one thing with scikit-learn's contract."""

from __future__ import annotations

import abc
import functools
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from pymlp import _arrays, _checks
from pymlp.architecture import checked_seed
from pymlp.network import Network
from pymlp.stack import NetworkStack
from pymlp.tabular.columns import Column, Columns
from pymlp.tabular.contract import Estimator, seed_of
from pymlp.tabular.division import Rows, counts, divided, own_rows
from pymlp.tabular.encoder import TableEncoder
from pymlp.tabular.explaining.explained_model import ExplainedModel
from pymlp.tabular.frames import column_of, columns_of
from pymlp.tabular.given_rows import GivenRows, by_row, need_column, weighted, weights_of
from pymlp.tabular.members import Division, Judged, Samples, Training, train
from pymlp.tabular.recipe import Quality, Recipe, recipe_of
from pymlp.tabular.saving import write
from pymlp.tabular.targets import vector
from pymlp.training import History
from pymlp.training.checkpoint import Checkpoint, resolve

__all__ = ["TableModel"]

# What a training that goes on may have otherwise; more epochs are looked at by the networks.
_FREE = ("epochs", "max_seconds", "n_jobs")
_ROWS_AT_ONCE = 1 << 16  # of a prediction: an array of all inputs could be larger than the table


class TableModel(ExplainedModel, Estimator, abc.ABC):
    """What classifiers and regressors of tables share."""

    on_start: Callable[[TableEncoder, Sequence[Network], dict[str, int]], None] | None = None
    """Called by `fit` before the first epoch, with what will be trained on how many rows."""

    # Parameters that both have; each class lists all of its own, as scikit-learn asks.
    quality: Quality
    metric: str | None
    max_seconds: float | None
    n_members: int | None
    random_state: Any
    hidden_layer_sizes: Sequence[int] | None
    activation: Any
    dropout: float | Sequence[float] | None
    optimizer: Any
    learning_rate: float | None
    epochs: int | None
    batch_size: int | str | None
    l2: float
    validation: float | Literal["auto"] | None
    patience: int | None
    categorical: Sequence[str | int] | str
    numeric: Sequence[str | int] | str
    ignore: Sequence[str | int] | str
    keep: Sequence[str | int] | str
    max_categories: int
    dtype: DTypeLike
    n_jobs: int | None

    # ---- what a classifier and a regressor do each in their way ----------------------------------

    @abc.abstractmethod
    def _target_of(
        self, y: NDArray[Any], weights: NDArray[np.float64] | None, training: NDArray[np.intp]
    ) -> Any:
        """Return what turns y into targets of the network, and outputs back."""

    @abc.abstractmethod
    def _labels(self, y: NDArray[Any]) -> NDArray[Any]:
        """Return integers that a division keeps in proportion."""

    @abc.abstractmethod
    def _samples(
        self, X: NDArray[Any], target: Any, y: NDArray[Any], weights: NDArray[np.float64] | None
    ) -> Samples:
        """Return inputs, targets and weights as the network takes them."""

    @property
    @abc.abstractmethod
    def _n_outputs(self) -> int:
        """How many outputs the network of the fitted model has."""

    @abc.abstractmethod
    def _trained(self, target: Any, judged: Callable[[], Judged | None]) -> None:
        """Set the attributes that follow from the target, and from what `judged` returns."""

    @abc.abstractmethod
    def _target_to_dict(self) -> dict[str, Any]:
        """Return what is known of the target as JSON holds it."""

    @abc.abstractmethod
    def _target_from_dict(self, stored: dict[str, Any]) -> None:
        """Set the attributes that `_target_to_dict` stored."""

    _kind: str  # in files
    _estimator_type: ClassVar[str]
    networks_: tuple[Network, ...]

    # ---- fit -----------------------------------------------------------------------------------

    def fit(
        self,
        X: Any,
        y: Any = None,
        sample_weight: ArrayLike | None = None,
        *,
        validation: tuple[Any, ...] | None = None,
        groups: Any = None,
        time: Any = None,
        callbacks: Iterable[Callable[[Network, History], bool | None]] = (),
        progress: bool = False,
        checkpoint: str | os.PathLike[str] | None = None,
        checkpoint_every: int | None = None,
        resume: bool = False,
    ) -> Self:
        """Learn a table.

        Parameters
        ----------
        X : table
            A data frame of pandas or polars, a table of pyarrow, a dict of columns, an array or a
            list of rows.
        y : array-like, shape (n_rows,), or str
            The target: a list, an array, a series, or the name of a column of X, which then is no
            input. `TabularRegressor` takes several too: an array (n_rows, k), a frame or dict of
            targets, or a list of names of columns of X.
        sample_weight : array-like, shape (n_rows,), optional
            Every mean is weighted by these.
        validation : tuple, optional
            ``(Xv, yv)`` or ``(Xv, yv, weights)``: rows that tell when to stop, in the place of the
            share of X that the parameter `validation` holds out.
        groups : array-like, shape (n_rows,), or name of a column of X, optional
            All rows of a group are held out together. A column of X that is named is no input.
        time : array-like, shape (n_rows,), or name of a column of X, optional
            Numbers or dates: the latest rows are held out. A column of X stays an input.
        callbacks : iterable of callables
            Each is called as ``callback(network, history)`` after every epoch; True ends training.
        progress : bool, default False
            Show a bar on standard error.
        checkpoint, checkpoint_every, resume : optional
            As in `Network.fit`: a file of all networks that the training goes on from where it was
            ended. The table is encoded again, and so are draws, also without `random_state`.

        Returns
        -------
        TabularClassifier or TabularRegressor
            Itself.

        Raises
        ------
        TypeError, ValueError
            Where an argument is of the wrong kind or out of range; the message names it, and all
            columns that are wrong.
        TrainingDiverged
            When the loss or a parameter stops being finite; the model is as it was before.
        KeyboardInterrupt
            On Ctrl-C. After the first epoch the model is fitted nevertheless, with the best
            parameters so far: whoever catches the exception may use it.
        """
        seed = checked_seed(seed_of(self.random_state))
        kept = resolve({
            "checkpoint": checkpoint, "checkpoint_every": checkpoint_every, "resume": resume
        })  # fmt: skip
        if kept is not None:
            seed = self._seed_of(kept, seed)
        table, name, place = self._table(X, y, sample_weight, groups, time)
        recipe = recipe_of(self, self._estimator_type)
        generator = np.random.default_rng(seed)
        divisions = self._divisions(table, validation, recipe.n_members, generator)
        learnt = np.unique(np.concatenate([training for training, _ in divisions]))
        target = self._target_of(table.y, table.weights, learnt)
        encoder = self._new_encoder(groups)
        encoder.fit(table.columns, sample_weight=table.weights, rows=learnt)
        if kept is not None:
            kept.compare("table", _described(name, target, encoder))
        inputs = encoder.transform(table.columns)
        samples = self._samples(inputs, target, table.y, table.weights)
        given = self._given_validation(validation, encoder, target)
        if given is None and not len(divisions[0][1]):
            target.do_without_held_out_rows()
        networks = self._new_networks(encoder, target, recipe, seed, samples, divisions)
        n_rows = counts(divisions, given)
        if kept is not None:
            kept.check_count(len(networks))
        if self.on_start is not None:
            self.on_start(encoder, networks, n_rows)
        fit = recipe.options(networks[0], len(divisions[0][0]))
        fit |= {"callbacks": callbacks, "progress": progress, "checkpoint": kept}
        options = self._options(target, fit)
        networks, interrupt = train(networks, samples, divisions, given, options)
        self.encoder_, self.networks_, self.n_rows_ = encoder, tuple(networks), n_rows
        self.target_name_, self._target_place = name, place
        self.notes_: dict[str, Any] = {}
        divisions = divisions[: len(networks)]
        self._trained(target, functools.partial(self._judged, samples, divisions, given))
        if given is None:
            self._keep(samples, *own_rows(divisions))
        else:
            self._keep(given, np.arange(len(given.X)), None)
        self._take_names()
        if interrupt is not None:
            raise interrupt
        return self

    def _seed_of(self, kept: Checkpoint, seed: int) -> int:
        """Return the seed that a training that goes on began with; the parameter's, if it has one.

        Parameters are compared before the data, which follow from them.
        """
        from pymlp.training.difference import parameters_of

        kept.open(stacked=True)
        parameters, stored = parameters_of(self, _FREE), kept.beside.get("parameters")
        if self.random_state is None and isinstance(stored, dict):  # the draws are the file's
            parameters["random_state"] = stored.get("random_state")
        kept.compare("parameters", parameters)
        before = kept.beside.setdefault("random_state", seed)
        return seed if self.random_state is not None else checked_seed(before)

    def _take_names(self) -> None:
        self.n_features_in_ = self.encoder_.n_features_in_
        if hasattr(self.encoder_, "feature_names_in_"):
            self.feature_names_in_ = self.encoder_.feature_names_in_
        elif hasattr(self, "feature_names_in_"):
            del self.feature_names_in_

    def _table(
        self, X: Any, y: Any, sample_weight: Any, groups: Any, time: Any
    ) -> tuple[GivenRows, Any, Any]:
        """Return the rows to learn from, the target's name, and its place where X has it."""
        columns, places = columns_of(X), []
        if names := self._names_of_target(y, columns):
            y = _target_in(columns, names, "y")
            places = [columns.names.index(name) for name in names]
            columns = columns.without(names)
        n_rows = columns.n_rows
        target, name = self._array_of_target(y, n_rows)
        if n_rows < 2:
            raise ValueError(
                f"{columns.source} has 1 row (n_samples = 1); a model needs 2 at least"
            )
        times = by_row(time, columns, "time")
        group_of_rows = by_row(groups, columns, "groups")
        table = GivenRows(columns, target, weights_of(sample_weight, n_rows), group_of_rows, times)
        return weighted(table), name, places if len(places) > 1 else (*places, None)[0]

    def _divisions(
        self,
        table: GivenRows,
        given: tuple[Any, ...] | None,
        n_members: int,
        generator: np.random.Generator,
    ) -> list[Division]:
        """Return what rows each member is trained on, and by which it is judged."""
        share: float | None = None
        if self.validation != "auto":
            share = 0.0
            if self.validation is not None:
                share = _checks.number("validation", self.validation, minimum=0.0, below=1.0)
        by = [name for name in ("groups", "time") if getattr(table, name) is not None]
        if by and len(by) < 2 and (given is not None or share == 0.0):
            raise ValueError(
                f"{by[0]} says which rows are held out, and here none are: validation is "
                f"{'given' if given is not None else self.validation}"
            )
        rows = Rows(self._labels(table.y), table.groups, table.time)
        return divided(rows, 0.0 if given is not None else share, n_members, generator)

    def _judged(
        self, samples: Samples, divisions: Sequence[Division], given: Samples | None
    ) -> Judged | None:
        """Return the outputs for the rows that judged each member, and these rows, if any did."""
        if given is None and not len(divisions[0][1]):
            return None
        parts = [samples.take(held) if given is None else given for _, held in divisions]
        outputs = [
            network.predict(part.X, threads=self._threads())
            for network, part in zip(self.networks_, parts, strict=True)
        ]
        y = np.concatenate([part.y for part in parts])
        weights = [part.weights for part in parts if part.weights is not None]
        return Judged(np.concatenate(outputs), y, np.concatenate(weights) if weights else None)

    def _given_validation(
        self, given: tuple[Any, ...] | None, encoder: TableEncoder, target: Any
    ) -> Samples | None:
        if given is None:
            return None
        if not isinstance(given, tuple | list) or len(given) not in (2, 3):
            raise TypeError(
                "validation of fit must be (Xv, yv) or (Xv, yv, weights); a share to hold out is "
                "the parameter: set_params(validation=0.1)"
            )
        try:
            columns = columns_of(given[0], source="Xv", read=False)
            yv = given[1]
            if names := self._names_of_target(yv, columns):
                yv = _target_in(columns, names, "yv")
            y, _ = self._array_of_target(yv, columns.n_rows)
            weights = weights_of(given[2] if len(given) == 3 else None, columns.n_rows)
            return self._samples(encoder.transform(columns), target, y, weights)
        except (TypeError, ValueError) as error:
            raise type(error)(f"validation: {error}") from None

    # ---- from the parameters -------------------------------------------------------------------

    def _new_encoder(self, groups: Any) -> TableEncoder:
        """Return an encoder that leaves the column of the groups out, and counts it."""
        ignore = [self.ignore] if isinstance(self.ignore, str | int) else list(self.ignore)
        encoder = TableEncoder(
            categorical=self.categorical,
            numeric=self.numeric,
            ignore=[*ignore, groups] if isinstance(groups, str) else ignore,
            keep=self.keep,
            max_categories=self.max_categories,
            dtype=_arrays.float_dtype(self.dtype),
        )
        encoder._expecting = type(self).__name__
        return encoder

    def _new_networks(
        self,
        encoder: TableEncoder,
        target: Any,
        recipe: Recipe,
        seed: int,
        samples: Samples,
        divisions: Sequence[Division],
    ) -> list[Network]:
        seeds = [seed, *np.random.SeedSequence(seed).generate_state(len(divisions), np.uint64)]
        widths = [encoder.n_inputs_, *recipe.hidden_layer_sizes, target.n_outputs]
        networks = []
        for own_seed, (training, _) in zip(seeds, divisions, strict=False):
            network = recipe.new_network(
                widths, target.output, encoder.number_inputs_, self.dtype, int(own_seed)
            )
            if recipe.optimizer is None:
                network.initialize_from(samples.X[training])
            networks.append(network)
        return networks

    def _options(self, target: Any, fit: dict[str, Any]) -> Training:
        fit |= {"loss": target.loss, "l2": self.l2, "max_seconds": self.max_seconds}
        fit["threads"] = self._threads()
        patience = self.patience
        if patience is not None:
            patience = _checks.integer("patience", patience, minimum=1)
        return Training(fit, patience, self.metric, target)

    def _threads(self) -> int | None:
        """Return a number of threads; None for what `set_num_threads` says."""
        n_jobs = self.n_jobs
        if n_jobs is None or (isinstance(n_jobs, int) and n_jobs == -1):
            return None
        return _checks.integer("n_jobs", n_jobs, minimum=1, below=1025)

    # ---- predict -------------------------------------------------------------------------------

    def _outputs(self, X: Any) -> NDArray[Any]:
        """Return what the networks predict for a table together, shape (n_rows, n_outputs)."""
        self._check_fitted()
        columns = self._inputs(X)
        stack, threads = NetworkStack(self.networks_), self._threads()
        parts = []
        for some in _pieces(columns):
            of_each = np.asarray(stack.predict(self.encoder_.transform(some), threads=threads))
            parts.append(of_each.mean(axis=0, dtype=np.float64).astype(of_each.dtype))
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    @property
    def network_(self) -> Network:
        """The first of the networks."""
        return self._networks()[0]

    @property
    def history_(self) -> History:
        """The record of the first network's training."""
        return self.network_.history or History()

    @property
    def n_iter_(self) -> int:
        """The epochs that the networks were trained, at most."""
        histories = [network.history for network in self._networks()]
        return max(len(history.loss) if history else 0 for history in histories)

    def _networks(self) -> tuple[Network, ...]:
        if "networks_" not in vars(self):
            raise AttributeError(f"this {type(self).__name__} is not fitted yet")
        return self.networks_

    def arranged(self, X: Any) -> Columns:
        """Return the columns of a table that become inputs, in their order."""
        self._check_fitted()
        return self.encoder_.arranged(self._inputs(X))

    def _inputs(self, X: Any) -> Columns:
        """Return a table's columns, without the target where columns go by position."""
        columns = columns_of(X, read=False)
        by_position = not self.encoder_.finds_by_name(columns)
        if by_position and self._target_place is not None:
            places = np.ravel(self._target_place).tolist()
            if len(columns) == self.n_features_in_ + len(places):
                columns = columns.without([columns[place].name for place in places])
        return columns

    def _truth(self, X: Any, y: Any) -> tuple[Columns, NDArray[Any]]:
        columns = columns_of(X, read=False)
        if names := self._names_of_target(y, columns):
            y = _target_in(columns, names, "y")
        return columns, self._array_of_target(y, columns.n_rows)[0]

    def _names_of_target(self, y: Any, columns: Columns) -> list[str]:
        """Return the columns of X that y names; none where it holds the target itself."""
        return [y] if isinstance(y, str) else []

    def _array_of_target(self, y: Any, n_rows: int) -> tuple[NDArray[Any], Any]:
        """Return a target as an array with a row for each of X, and its name or None."""
        name = getattr(y, "name", None)
        return vector(y, n_rows, type(self).__name__), None if name in (None, "") else str(name)

    # ---- what else it can ----------------------------------------------------------------------

    @property
    def report_(self) -> list[str]:
        """What became of each column, a line each, with the option that makes it otherwise."""
        self._check_fitted()
        return [decision.line() for decision in self.encoder_.decisions_]

    def save(self, path: Any) -> None:
        """Write the model to one safetensors file, which `pymlp.load` reads.

        Nothing in it is code. A generator as `random_state` comes back as None.

        Parameters
        ----------
        path : str or path
            No extension is added. A file of this name is replaced whole or not at all.

        Raises
        ------
        OSError
            If the file cannot be written.
        ValueError
            If the network's activation is a user function.
        """
        self._check_fitted()
        place = {"name": self.target_name_, "place": self._target_place}
        write(path, self, self._kind, {**place, **self._target_to_dict()})

    def _restore(
        self,
        encoder: TableEncoder,
        networks: Sequence[Network],
        rows: dict[str, int],
        target: dict[str, Any],
        notes: dict[str, Any],
    ) -> None:
        """Become the fitted model that a file describes."""
        n_inputs = networks[0].widths[0]
        if encoder.n_inputs_ != n_inputs:
            raise ValueError(f"its columns become {encoder.n_inputs_} inputs, not {n_inputs}")
        encoder._expecting = type(self).__name__
        self.encoder_, self.networks_ = encoder, tuple(networks)
        self.n_rows_, self.notes_ = rows, notes
        name = target["name"]
        self.target_name_ = tuple(name) if isinstance(name, list) else name
        self._target_place = target["place"]
        self._target_from_dict(target)
        self._take_names()

    def _fitted_rows(self) -> list[tuple[str, str]]:
        if not hasattr(self, "encoder_"):
            return []
        widths = "-".join(map(str, self.network_.widths))
        n_members = len(self.networks_)
        widths = widths if n_members == 1 else f"{n_members} of {widths}"
        rows = ", ".join(f"{n:,} for {part}" for part, n in self.n_rows_.items())
        decisions = [(d.name, f"{d.kind}{', ' if d.why else ''}{d.why}") for d in self._shown()]
        return [("network", widths), ("rows", rows), *decisions]

    def _shown(self) -> list[Any]:
        return list(self.encoder_.decisions_[:30])


def _described(target_name: Any, target: Any, encoder: TableEncoder) -> dict[str, Any]:
    """Return what names and categories a training goes on with."""
    from pymlp.training.difference import digest_of, labels

    names = [getattr(field.encoding, "names", ()) for field in encoder.fields_]
    categories = digest_of(np.frombuffer(repr(names).encode(), np.uint8))
    found = {"target": target_name, "categories": categories}
    if hasattr(encoder, "feature_names_in_"):
        found["columns"] = labels(encoder.feature_names_in_)
    if hasattr(target, "labels"):
        found["classes"] = labels(target.labels)
    return found


def _pieces(columns: Columns) -> Iterator[Columns]:
    if columns.n_rows <= _ROWS_AT_ONCE:
        yield columns
        return
    for start in range(0, columns.n_rows, _ROWS_AT_ONCE):
        yield columns.take(np.arange(start, min(start + _ROWS_AT_ONCE, columns.n_rows)))


def _target_in(columns: Columns, names: list[str], argument: str) -> Column | Columns:
    """Return the columns of a table that are its target."""
    for name in names:
        need_column(columns, name, argument)
    found = [column_of(columns[name], name) for name in names]
    return found[0] if len(found) == 1 else Columns(found, columns.n_rows, argument)
