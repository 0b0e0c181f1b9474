"""Stacks: many networks of one shape, trained and run in one call."""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterable, Iterator, Sequence
from copy import deepcopy
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pymlp import _arrays, _checks, _core, config
from pymlp._arrays import FloatArray
from pymlp._keywords import refuse_unknown
from pymlp._names import Metrics
from pymlp.architecture import Architecture
from pymlp.losses import AnyLoss
from pymlp.network import Network
from pymlp.training import History, Trainee, stacked
from pymlp.training.member_samples import naming, own_matrices, own_targets, own_weights

__all__ = ["NetworkStack"]

# Of `Network.fit`: what is an option there is one here.
_OPTIONS = {
    parameter.name: parameter
    for parameter in inspect.signature(Network.fit).parameters.values()
    if parameter.kind is parameter.KEYWORD_ONLY
}


class NetworkStack:
    """Many networks of one shape, trained and run in one call.

    Ensembles, folds, refits, a network for each customer: what would be a loop over `Network.fit`
    is one call, without coming back to Python between the steps of small networks, and on all
    threads. Each network learns what it would have learnt alone, bit for bit.

    Parameters
    ----------
    networks : iterable of Network
        At least one, each once, of one architecture; seeds and parameters are their own. The stack
        holds these objects, no copies: ``stack[0] is networks[0]``.

    Raises
    ------
    TypeError, ValueError
        Where something is no network, or one has another architecture; the message says what
        differs.

    Examples
    --------
    >>> stack = pymlp.NetworkStack(pymlp.Network([1, 8, 1], seed=i) for i in range(3))
    >>> X = np.linspace(-1, 1, 64).reshape(-1, 1)
    >>> histories = stack.fit(X, X**2, epochs=50, learning_rate=0.01)
    >>> len(stack), stack.predict(X).shape
    (3, (3, 64, 1))
    >>> spread = stack.predict(X).std(axis=0)
    """

    def __init__(self, networks: Iterable[Network]) -> None:
        if isinstance(networks, Network) or not isinstance(networks, Iterable):
            came = _checks.type_name(networks)
            raise TypeError(f"networks must be an iterable of networks, not {came}")
        self._networks = tuple(networks)
        if not self._networks:
            raise ValueError("networks must be at least one, not none")
        places: dict[int, int] = {}
        for i, network in enumerate(self._networks):
            if not isinstance(network, Network):
                came = _checks.type_name(network) + _checks.network_of(network)
                raise TypeError(f"networks[{i}] must be a Network, not {came}")
            if (first := places.setdefault(id(network), i)) != i:
                raise ValueError(
                    f"networks[{i}] is networks[{first}]: each learns for itself; take its copy()"
                )
        self._check_shapes()

    def _check_shapes(self) -> Architecture:
        """Return the architecture that all have."""
        first, *others = (trainee.architecture for trainee in self._trainees())
        for i, other in enumerate(others, 1):
            if other is not first and other != first:
                raise ValueError(
                    f"networks must have one architecture, but networks[{i}] has "
                    f"{_differences(other, first)}"
                )
        return first

    def _trainees(self) -> list[Trainee]:
        return [network.__trainee__() for network in self._networks]

    # ---- what it is ------------------------------------------------------------------------------

    @property
    def networks(self) -> tuple[Network, ...]:
        """The networks, as they were given."""
        return self._networks

    @property
    def histories(self) -> list[History | None]:
        """The record of each network's last training; None where it had none."""
        return [network.history for network in self._networks]

    @property
    def widths(self) -> tuple[int, ...]:
        """Layer widths of each network, input first."""
        return self._networks[0].widths

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of parameters, activations and gradients: float32 or float64."""
        return self._networks[0].dtype

    def __len__(self) -> int:
        return len(self._networks)

    def __iter__(self) -> Iterator[Network]:
        return iter(self._networks)

    def __getitem__(self, index: Any) -> Any:
        """Return a network; of a slice, or of several indices, a stack of these networks."""
        if isinstance(index, slice):
            return type(self)(self._networks[index])
        if isinstance(index, list | np.ndarray):
            return type(self)(self._networks[i] for i in np.arange(len(self))[index].tolist())
        return self._networks[index]

    def __repr__(self) -> str:
        return f"NetworkStack({len(self)} x {self._networks[0]!r})"

    def _repr_html_(self) -> str:
        from pymlp import _html

        count = f"{len(self):,} network{'' if len(self) == 1 else 's'} of one shape"
        return _html.block(
            _html.text(f"NetworkStack: {count}", strong=True),
            self._networks[0]._repr_html_(),
        )

    # ---- running it ------------------------------------------------------------------------------

    def predict(
        self, X: Any, *, out: FloatArray | None = None, threads: int | None = None
    ) -> FloatArray | list[FloatArray]:
        """Return the outputs of every network.

        Parameters
        ----------
        X : array-like or frame, shape (m, n_in), or (k, m, n_in), or a list of k arrays (m_i, n_in)
            One for all networks, or one for each.
        out : ndarray, optional
            Where the outputs go: of the result's shape and the networks' dtype, C-contiguous.
        threads : int, optional
            At most this many; None takes `pymlp.get_num_threads()`.

        Returns
        -------
        ndarray, shape (k, m, n_out)
            `out` where that is given; of a list of arrays with different m a list of k arrays. The
            bits are those of `Network.predict`.

        Raises
        ------
        TypeError, ValueError
            Where X or out is of the wrong kind or shape; the message names it.

        Examples
        --------
        >>> stack = pymlp.NetworkStack(pymlp.Network([3, 5, 2], seed=i) for i in range(4))
        >>> stack.predict(np.zeros((10, 3))).shape
        (4, 10, 2)
        >>> mean = stack.predict(np.zeros((10, 3))).mean(axis=0)
        """
        architecture, n_threads = self._check_shapes(), config.threads(threads)
        rows = _one_array(own_matrices("X", X, len(self)), X, architecture)
        if isinstance(rows, list):
            return self._predict_each(rows, out, n_threads)
        shape = (len(self), rows.shape[-2], architecture.widths[-1])
        if out is None:
            Y = np.empty(shape, self.dtype)
        else:
            Y = _arrays.output(out, shape, self.dtype, rows)
        cores: Any = [trainee.core for trainee in self._trainees()]
        if any(g.name == "custom" for g in architecture.activations):
            for i, core in enumerate(cores):
                core.predict_into(rows if rows.ndim == 2 else rows[i], Y[i], n_threads)
        else:
            _core.predict_together(cores, rows, Y, n_threads)
        return Y

    __call__ = predict

    def _predict_each(
        self, rows: list[FloatArray], out: Any, threads: int
    ) -> FloatArray | list[FloatArray]:
        if out is not None:
            raise ValueError("out goes with as many rows for each network, not with a list")
        pairs = zip(self._trainees(), rows, strict=True)
        return [trainee.core.predict(x, threads) for trainee, x in pairs]

    def loss(
        self,
        X: Any,
        y: Any,
        *,
        loss: AnyLoss = "auto",
        sample_weight: Any = None,
        threads: int | None = None,
    ) -> NDArray[np.float64]:
        """Return the mean loss of every network over the samples.

        Parameters
        ----------
        X, y, sample_weight
            One for all networks, or one for each, as in `fit`.
        loss, threads
            As in `Network.loss`.

        Returns
        -------
        ndarray, shape (k,)

        Examples
        --------
        >>> net = pymlp.Network([2, 3], output="softmax", init="zeros")
        >>> stack = pymlp.NetworkStack([net, net.copy()])
        >>> stack.loss([[1.0, 2.0]], [0]).round(4)
        array([1.0986, 1.0986])
        """
        found = []
        for i, (own_X, own_y, weight) in enumerate(self._samples(X, y, sample_weight)):
            with naming(i):
                found.append(
                    self._networks[i].loss(
                        own_X, own_y, loss=loss, sample_weight=weight, threads=threads
                    )
                )
        return np.array(found)

    def evaluate(
        self,
        X: Any,
        y: Any,
        *,
        metrics: Metrics | None = None,
        loss: AnyLoss = "auto",
        sample_weight: Any = None,
        threads: int | None = None,
    ) -> dict[str, NDArray[np.float64]]:
        """Return the mean loss of every network over the samples, and metrics, by their names.

        Parameters
        ----------
        X, y, sample_weight
            One for all networks, or one for each, as in `fit`.
        metrics, loss, threads
            As in `Network.evaluate`.

        Returns
        -------
        dict of str to ndarray of shape (k,)
            "loss" first.

        Examples
        --------
        >>> net = pymlp.Network([2, 3], output="softmax", init="zeros")
        >>> stack = pymlp.NetworkStack([net, net.copy()])
        >>> stack.evaluate([[1.0, 2.0]], [0])["accuracy"]
        array([1., 1.])
        """
        found = []
        options: dict[str, Any] = {"metrics": metrics, "loss": loss, "threads": threads}
        for i, (own_X, own_y, weight) in enumerate(self._samples(X, y, sample_weight)):
            with naming(i):
                network = self._networks[i]
                found.append(network.evaluate(own_X, own_y, sample_weight=weight, **options))
        return {name: np.array([of_one[name] for of_one in found]) for name in found[0]}

    def _samples(self, X: Any, y: Any, sample_weight: Any) -> list[tuple[Any, Any, Any]]:
        """Return (X, y, sample_weight) for each network."""
        architecture, k = self._check_shapes(), len(self)
        Xs = own_matrices("X", X, k)
        X = architecture.rows("X", X) if Xs is None else None
        ys = own_targets(y, k, X if Xs is None else Xs[0], architecture)
        ws = own_weights(sample_weight, k)
        return list(zip(Xs or [X] * k, ys or [y] * k, ws or [sample_weight] * k, strict=True))

    # ---- training --------------------------------------------------------------------------------

    def fit(
        self,
        X: Any,
        y: Any,
        *,
        rows: Sequence[ArrayLike] | None = None,
        validation_rows: Sequence[ArrayLike] | None = None,
        **options: Any,
    ) -> list[History]:
        """Train every network, as `Network.fit` trains one.

        Parameters
        ----------
        X : array-like or frame, shape (m, n_in), or (k, m, n_in), or a list of k arrays (m_i, n_in)
            One for all networks, or one for each. Finite.
        y : array-like
            As in `Network.fit`; one for all networks, or one for each: with an axis of k in front,
            or a list of k arrays.
        rows : sequence of k arrays, optional
            Where all share X and y: which rows each network is trained on, by their numbers (which
            may be there several times) or as a mask (m,). Nothing is copied, but for `metrics`.
        validation_rows : sequence of k arrays, optional
            Which rows each network is validated with, instead of `validation`.
        **options
            Those of `Network.fit`, for every network: `epochs`, `batch_size`, `loss`, `optimizer`,
            `learning_rate`, `validation`, `early_stopping`, `sample_weight`, `shuffle`, `seed`,
            `metrics`, `callbacks`, `progress`, `threads`, `max_seconds`, `schedule`,
            `class_weight`, `scale_target`, `l1`, `l2`, `clip_norm`, `clip_value`, `max_norm`,
            `average`, `freeze`, `checkpoint`, `checkpoint_every`, `resume`. These differ:

            optimizer : name, Optimizer, or list of k of them
                What is not in a list is a rule: each network has a fresh optimiser of it. The
                optimisers of a list go on from their last steps. Not L-BFGS.
            validation : (Xv, yv), (Xv, yv, weights), list of k such tuples, or float
                One for all, or one for each; a share is held out of each network's own rows, by
                its own seed, and `History.held_out` has rows of X.
            sample_weight : array-like, shape (m,) or (k, m), or list of k arrays
            seed : int or sequence of k, optional
                None goes on from each network's own seed.
            callbacks
                Called with a network and its history; True ends the training of that network.
            threads : int, optional
                At most this many. Each works at a network of its own, where there are enough
                networks, else all at one.
            max_seconds : float, optional
                For all networks together: they take turns, and all come about equally far.
            checkpoint : str or path, optional
                One file has all networks.

        Returns
        -------
        list of History
            One for each network, which keeps it. `History.seconds` is the time of its own steps.

        Raises
        ------
        TypeError, ValueError
            As in `Network.fit`, before anything is drawn or trained; what is a network's own is
            refused with its place in the stack.
        TrainingDiverged
            When the loss or a parameter of a network stops being finite: that network is as it was
            when its epoch began, and all others are trained to their end before this is raised. The
            message names the networks, whose histories have `stopped_by` "diverged".
        KeyboardInterrupt
            On Ctrl-C; parameters are those of whole steps. Networks that were ready stay so.
        RuntimeError
            If one of the networks is being trained already.

        Notes
        -----
        A network learns bit for bit what it learns by ``network.fit(X[rows], y[rows], ...)``, on
        any number of threads and in any order of the networks, and so is its record but for
        `seconds`.

        Examples
        --------
        Five folds on one X, each with its own rows of validation:

        >>> rng = np.random.default_rng(0)
        >>> X = rng.standard_normal((200, 3))
        >>> y = X[:, 0] * X[:, 1]
        >>> fold = np.arange(200) % 5
        >>> stack = pymlp.NetworkStack(pymlp.Network([3, 16, 1], seed=i) for i in range(5))
        >>> histories = stack.fit(
        ...     X, y, epochs=20, early_stopping=5, learning_rate=0.01,
        ...     rows=[fold != i for i in range(5)], validation_rows=[fold == i for i in range(5)],
        ... )
        >>> all(history.val_loss for history in histories)
        True
        """
        unknown = {name: value for name, value in options.items() if name not in _OPTIONS}
        refuse_unknown(NetworkStack.fit, unknown)
        given = {name: parameter.default for name, parameter in _OPTIONS.items()} | options
        self._check_shapes()
        return stacked.fit(self._trainees(), X, y, given, rows, validation_rows)

    # ---- keeping it ------------------------------------------------------------------------------

    def copy(self) -> Self:
        """Return a stack of independent networks with the same parameters.

        Examples
        --------
        >>> stack = pymlp.NetworkStack([pymlp.Network([2, 1], seed=0)])
        >>> twin = stack.copy()
        >>> twin[0] is stack[0], bool((twin[0].parameters == stack[0].parameters).all())
        (False, True)
        """
        return type(self)(network.copy() for network in self._networks)

    def __copy__(self) -> Self:
        return self.copy()

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        twin = memo[id(self)] = type(self)(deepcopy(network, memo) for network in self._networks)
        return twin

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write all networks to one safetensors file, which `pymlp.load` reads.

        Parameters
        ----------
        path : str or path
            No extension is added. A file of this name is replaced whole or not at all. Every tensor
            has an axis of k in front of those in a file of one network.

        Raises
        ------
        ValueError
            If an activation is a user function, which a file cannot hold, or a parameter is NaN or
            infinite, which `pymlp.load` refuses.
        OSError
            If the file cannot be written.

        Examples
        --------
        >>> import tempfile, pathlib
        >>> stack = pymlp.NetworkStack(pymlp.Network([2, 1], seed=i) for i in range(3))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder) / "stack.safetensors"
        ...     stack.save(path)
        ...     same = pymlp.load(path)
        >>> len(same), bool((same[1].parameters == stack[1].parameters).all())
        (3, True)
        """
        from pymlp.files import safetensors

        self._check_shapes()
        states = [network.__getstate__() for network in self._networks]
        safetensors.write(path, states, {})


def _differences(of: Architecture, first: Architecture) -> str:
    """Say in what one architecture differs from that of the first network."""
    names = [name for name in Architecture.FIELDS if getattr(of, name) != getattr(first, name)]
    texts = [(name, _shown(getattr(of, name)), _shown(getattr(first, name))) for name in names]
    # Long values are not shown in full.
    return "; ".join(
        f"{name} {own}, not {other}" if own != other else f"another {name}"
        for name, own, other in sorted(texts)
    )


def _shown(value: Any) -> str:
    return str(list(value)) if isinstance(value, tuple) else str(value)


def _one_array(
    own: list[Any] | None, X: Any, architecture: Architecture
) -> FloatArray | list[FloatArray]:
    """Return X (m, n_in) or (k, m, n_in); where rows differ in number, a list."""
    if own is None:
        return architecture.rows("X", X)
    found = []
    for i, x in enumerate(own):
        with naming(i):
            found.append(architecture.rows("X", x))
    if isinstance(X, np.ndarray) and X.dtype == architecture.dtype:
        return _arrays.converted(X, architecture.dtype)
    same = len({len(x) for x in found}) == 1
    return np.stack(found) if same else found


_signature = inspect.signature(NetworkStack.fit)
_own = [p for p in _signature.parameters.values() if p.kind is not p.VAR_KEYWORD]
NetworkStack.fit.__signature__ = _signature.replace(  # type: ignore[attr-defined]
    parameters=[*_own, *_OPTIONS.values()]
)
