"""Networks of dense layers: a thin layer over the C++ core."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy
from typing import TYPE_CHECKING, Any, Literal, Never, Self

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from pymlp import _arrays, _checks, _core, config, derivatives, initializers, losses, optimizers
from pymlp import training as _training
from pymlp._arrays import FloatArray
from pymlp._keywords import refuse_unknown
from pymlp._names import ArithmeticName, DTypeName, Metrics, NormName
from pymlp.architecture import AnyActivation, Architecture, checked_seed
from pymlp.described import Described
from pymlp.embeddings import AnyEmbedding
from pymlp.layers import (
    Gradients,
    Layer,
    Trace,
    Views,
    by_column,
    by_layer,
    copy_into,
    input_scale,
    sequences,
)
from pymlp.losses import AnyLoss
from pymlp.schedules import AnySchedule
from pymlp.training import EarlyStopping, FitOptions, History, TrainingDiverged
from pymlp.training import samples as _samples
from pymlp.training.options import plan_rows, regularization

if TYPE_CHECKING:
    from pymlp.plan import Plan

# What a network has of its own, apart from what a user or a subclass adds.
_FIELDS = {
    "_architecture", "_arithmetic", "_biases", "_core", "_embedding_parameters", "_fits",
    "_input_scale", "_layers", "_parameters", "_seed", "_tensors", "_weights", "history",
}  # fmt: skip


class Network(Described):
    """A multilayer perceptron: dense layers, each with an activation of its own.

    Parameters
    ----------
    widths : sequence of int
        Layer widths, input first: ``[784, 128, 10]`` has 784 inputs and 10 outputs.
    hidden : str, Activation or list of these, default "relu"
        The activation of the hidden layers; a list has one for each. `pymlp.Parametric` is learnt.
    output : str or Activation, default "linear"
        The activation of the last layer.
    init : str or Initializer, default "auto"
        How weights begin; see `pymlp.initializers`. Biases begin at 0.
    bias : bool, default True
        Whether layers have biases.
    dropout : float or list of float, default 0
        The share of units of each hidden layer left out in a training step, in [0, 1) and to the
        nearest multiple of 2^-16 below 1 (0 for less than 2^-17), the others scaled up; off in
        `predict`, and in `loss` and `gradients` without ``training=True``. A list has one for each
        hidden layer.
    input_dropout : float, default 0
        The same of the inputs, of embedded ones of the numbers that they become.
    norm : {"layer", "rms", "batch"}, optional
        Of every hidden layer, between its product and its activation: each row of ``x @ weights +
        biases`` is brought to mean 0 and variance 1 ("layer"; Ba et al., arXiv:1607.06450), or to
        mean square 1 ("rms"; Zhang and Sennrich, arXiv:1910.07467), where 1e-5 is added to variance
        or mean square, and then multiplied by `Layer.gain`; "layer" adds `Layer.shift`. "batch"
        (Ioffe and Szegedy, arXiv:1502.03167) does as "layer" with each unit over the rows of a
        training step's batch, of two rows at least; elsewhere by running means and variances,
        which a step moves a tenth of the way to its own (`Layer.running_mean`,
        `Layer.running_variance`).
    residual : bool, default False
        Add to the outputs of every hidden layer, behind activation and dropout, its inputs, where
        it has as many of both. He et al., arXiv:1512.03385.
    scale_inputs : bool, default False
        Multiply every input by a factor that is learnt, 1 at the start: `input_scale`. Of inputs
        that are embedded, each number that they become.
    embedding : Embedding or list of these, optional
        Inputs that become several learnt numbers each: of numbers `pymlp.embeddings.Periodic` or
        `pymlp.embeddings.PiecewiseLinear`, of categories `pymlp.embeddings.Categories`. Other
        inputs pass as they are, and all keep their order. `widths` begins with the columns of X;
        the first layer reads `embedded_width` numbers, which is what `input_dropout`,
        `scale_inputs` and `residual` are about.
    feature_names : sequence of str, optional
        Names of the inputs. A network without takes those of the first frame that it is trained
        with; see `feature_names`.
    dtype : float32 or float64, default float32
        Of parameters, activations and gradients alike.
    arithmetic : {"exact", "blas"}, optional
        What computes the products of this network, wherever it is called from; None: what
        `pymlp.arithmetic` or `pymlp.set_arithmetic` says when a call begins. Copies keep it, files
        and pickles do not: it says how a network is computed, not what it is.
    seed : int, optional
        Fixes every draw: the weights here, and orders and splits in `fit`. None draws a fresh one.

    Raises
    ------
    TypeError, ValueError
        Where an argument is of the wrong kind or out of range; the message names it.

    Examples
    --------
    >>> net = pymlp.Network([2, 4, 3], output="softmax", seed=0)
    >>> net.n_parameters
    27
    >>> net.predict(np.zeros((300, 2))).shape
    (300, 3)
    """

    def __init__(
        self,
        widths: Sequence[int],
        *,
        hidden: AnyActivation | Sequence[AnyActivation] = "relu",
        output: AnyActivation = "linear",
        init: initializers.AnyInitializer = "auto",
        bias: bool = True,
        dropout: float | Sequence[float] = 0.0,
        input_dropout: float = 0.0,
        norm: NormName | str | None = None,
        residual: bool = False,
        scale_inputs: bool = False,
        embedding: AnyEmbedding = None,
        feature_names: Sequence[str] | None = None,
        dtype: DTypeName | DTypeLike = "float32",
        arithmetic: ArithmeticName | None = None,
        seed: int | None = None,
        **unknown: Never,
    ) -> None:
        refuse_unknown(Network.__init__, unknown)
        initializer = initializers.resolve(init)
        architecture = Architecture(
            widths, hidden=hidden, output=output, bias=bias, dropout=dropout,
            input_dropout=input_dropout, norm=norm, residual=residual, scale_inputs=scale_inputs,
            embedding=embedding, feature_names=feature_names, dtype=dtype,
        )  # fmt: skip
        self._build(architecture, checked_seed(seed))
        self._compute_with(arithmetic)
        self._core.initialize(initializer.name, initializer.scale, self._seed)

    def _build(self, architecture: Architecture, seed: int) -> None:
        self._architecture = architecture
        self._seed = seed
        self._fits = 0  # calls that drew a seed from ours
        self._arithmetic: ArithmeticName | None = None
        self._core = architecture.new_core()
        self._tensors = architecture.tensors
        arena = self._core.arena
        self._parameters = arena[: self._tensors[-1].end]
        of_layers = by_layer(architecture.arena, arena)
        self._weights, self._biases = sequences(of_layers)
        self._input_scale = input_scale(self._tensors, arena)
        self._embedding_parameters = by_column(self._tensors, arena)
        self._layers = tuple(
            map(Layer, of_layers, architecture.activations, architecture.residual_layers)
        )
        self.history: History | None = None

    def _compute_with(self, arithmetic: ArithmeticName | None) -> None:
        if arithmetic is not None:
            arithmetic = config.arithmetic_name("arithmetic", arithmetic)
        self._core.set_arithmetic(arithmetic)
        self._arithmetic = arithmetic

    # ---- what it is ------------------------------------------------------------------------------

    @property
    def input_scale(self) -> FloatArray | None:
        """The inputs' factors, shape (embedded_width,), a writable view; or None without."""
        return self._input_scale

    @input_scale.setter
    def input_scale(self, values: ArrayLike) -> None:
        if self._input_scale is None:
            raise AttributeError("'input_scale' cannot be assigned without scale_inputs=True")
        copy_into("input_scale", self._input_scale, values)

    @property
    def embedding_parameters(self) -> Mapping[int, Mapping[str, FloatArray]]:
        """The parameters of every embedded column, by its number and by name: writable views.

        Of `pymlp.embeddings.Periodic` "frequencies", "phases", "weights" and "biases", of
        `pymlp.embeddings.PiecewiseLinear` "weights" and "biases", of
        `pymlp.embeddings.Categories` "table".

        Examples
        --------
        >>> embedding = pymlp.embeddings.Categories({0: 2}, width=3)
        >>> net = pymlp.Network([2, 1], embedding=embedding, seed=0)
        >>> net.embedding_parameters[0]["table"][:] = [[1, 2, 3], [4, 5, 6]]
        >>> net.embed([[1.0, 0.5]])
        array([[4. , 5. , 6. , 0.5]], dtype=float32)
        """
        return self._embedding_parameters

    @property
    def feature_names(self) -> tuple[str, ...] | None:
        """Names of the inputs; None where it knows none.

        They are the names of the columns of the first frame (pandas, polars, pyarrow) that the
        network is trained with; copies, pickles and files keep them. A frame goes in by its names
        from then on: columns in another order are put right, others are refused. Arrays, and frames
        whose columns are numbered, go by position. Names may be assigned; None forgets them.

        Examples
        --------
        >>> net = pymlp.Network([2, 1], feature_names=["age", "income"], seed=0)
        >>> net.feature_names
        ('age', 'income')
        """
        return self._architecture.feature_names

    @feature_names.setter
    def feature_names(self, names: Sequence[str] | None) -> None:
        self._architecture = self._architecture.with_feature_names(names)

    @property
    def arithmetic(self) -> ArithmeticName | None:
        """What computes the products of this network; None: what the caller's context says."""
        return self._arithmetic

    @property
    def seed(self) -> int:
        """The seed of every draw."""
        return self._seed

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers behind the input."""
        return self._layers

    @property
    def weights(self) -> Views:
        """The weights of every layer, writable views; assigning to an item copies in.

        Examples
        --------
        >>> net = pymlp.Network([1, 2], init="zeros")
        >>> net.weights[0] -= [[0.5, -0.5]]
        >>> net.layers[0].weights
        array([[-0.5,  0.5]], dtype=float32)
        """
        return self._weights

    @property
    def biases(self) -> Views:
        """The biases of every layer, as `weights` are; empty in a network without."""
        return self._biases

    @property
    def parameters(self) -> FloatArray:
        """All parameters, shape (n_parameters,): a writable view.

        First those of the embedding, column by column, and `input_scale`, then of every layer
        weights, biases, gain, shift and alpha, as far as it has them.
        """
        return self._parameters

    @parameters.setter
    def parameters(self, values: ArrayLike) -> None:
        copy_into("parameters", self._parameters, values)

    @property
    def n_parameters(self) -> int:
        """The number of parameters; running statistics are none."""
        return self._parameters.size

    def plan(
        self,
        *,
        batch_size: int | Literal["auto"] = "auto",
        training: bool = True,
        threads: int | None = None,
    ) -> Plan:
        """Return how a batch runs on this machine: cuts, workers, memory, and why.

        Parameters
        ----------
        batch_size : int or "auto", default "auto"
            Rows of the batch; "auto": 32, as in `fit`.
        training : bool, default True
            A training step; False: a prediction.
        threads : int, optional
            At most this many; None takes `pymlp.get_num_threads()`.

        Returns
        -------
        Plan
            Prints as a table; its attributes are the numbers.

        Raises
        ------
        TypeError, ValueError
            Where an argument is of the wrong kind or out of range; the message names it.

        Examples
        --------
        >>> net = pymlp.Network([17, 64, 64, 6], output="softmax", arithmetic="exact")
        >>> plan = net.plan(batch_size=256, threads=2)
        >>> plan.blocks, plan.block_rows, plan.workers, plan.multiply_adds
        (2, 128, 2, 3997696.0)
        """
        from pymlp import plan

        rows, wanted = plan_rows(batch_size), _checks.flag("training", training)
        found = _core.plan(self._core, rows, wanted, config.threads(threads))
        return plan.from_core(found, training=wanted, dtype=self.dtype.name)

    def initialize_from(self, X: ArrayLike, *, seed: int | None = None) -> None:
        """Draw all parameters anew, so that they suit these samples.

        Weights are normal; those into each unit are then scaled so that its pre-activations have
        variance 1 over the samples. Its bias is minus a point between five of them, which are
        drawn, so that it bends where there are samples. Layers that are normalised keep weights of
        variance 1 / n_in and biases of 0. This is the start of RealMLP-TD, of Holzmueller et al.,
        arXiv:2407.04491.

        Parameters
        ----------
        X : array-like or frame, shape (m, n_in)
            Finite. Of more than 10,000 samples so many are drawn.
        seed : int, optional
            None takes the network's own.

        Raises
        ------
        TypeError, ValueError
            Where an argument is of the wrong kind or out of range; the message names it.
        RuntimeError
            If the network is being trained.

        Examples
        --------
        >>> X = 100 + 7 * np.random.default_rng(0).standard_normal((1000, 3))
        >>> net = pymlp.Network([3, 50, 1], seed=0)
        >>> net.initialize_from(X)
        >>> bool(np.allclose(net.forward(X).z[1].std(axis=0), 1, atol=1e-3))
        True
        """
        from pymlp import data_driven

        rows = _arrays.finite("X", self._architecture.rows("X", X), self.feature_names)
        drawn = self._seed if seed is None else checked_seed(seed)
        self._core.initialize("lecun_normal", 0.0, drawn)
        data_driven.begin(self, rows, drawn)

    # ---- running it ------------------------------------------------------------------------------

    def predict(
        self, X: ArrayLike, *, out: FloatArray | None = None, threads: int | None = None
    ) -> FloatArray:
        """Return the network's outputs.

        Parameters
        ----------
        X : array-like or frame, shape (m, n_in), or one sample (n_in,)
            Not written to; converted to the network's dtype where it has another, which for one
            sample takes longer than a small network. The columns of a frame, and one row of it, go
            by their names where the network has `feature_names`.
        out : ndarray, optional
            Where the outputs go: of the result's shape and the network's dtype, C-contiguous.
        threads : int, optional
            At most this many; None takes `pymlp.get_num_threads()`.

        Returns
        -------
        ndarray, shape (m, n_out), or (n_out,) for one sample
            `out` where that is given.

            **With one output too it is (m, 1), not (m,): minus a y of shape (m,), NumPy makes
            m x m numbers of it, without an error.** Write ``net.predict(X)[:, 0] - y``, or
            ``net.predict(X) - y.reshape(-1, 1)``. Estimators and models of tables return (m,).

        Raises
        ------
        TypeError, ValueError
            Where X or out is of the wrong kind or shape; the message names it.

        Examples
        --------
        >>> net = pymlp.Network([3, 5, 2], seed=1)
        >>> net.predict([0.5, -1.0, 2.0]).shape
        (2,)

        >>> X, y = np.zeros((100, 3)), np.zeros(100)
        >>> net = pymlp.Network([3, 5, 1], seed=1)
        >>> (net.predict(X) - y).shape, (net.predict(X)[:, 0] - y).shape
        ((100, 100), (100,))
        """
        answer = self._core.try_predict(X, out, threads)
        return self._predict(X, out, threads) if answer is None else answer

    __call__ = predict

    def _predict(self, X: ArrayLike, out: FloatArray | None, threads: int | None) -> FloatArray:
        """Predict where something is to be converted first, or to be refused with its reason."""
        array = _arrays.numbers("X", X, self.feature_names)
        one = array.ndim == 1
        rows = _arrays.matrix("X", array[np.newaxis] if one else array, self.widths[0], self.dtype)
        self._architecture.with_codes("X", rows, one)
        n_threads = config.threads(threads)
        if out is None:
            Y = self._core.predict(rows, n_threads)
            return Y[0] if one else Y
        shape = (self.widths[-1],) if one else (rows.shape[0], self.widths[-1])
        _arrays.output(out, shape, self.dtype, rows)
        self._core.predict_into(rows, out.reshape(rows.shape[0], -1), n_threads)
        return out

    def embed(self, X: ArrayLike, *, threads: int | None = None) -> FloatArray:
        """Return what the inputs become before the first layer.

        Parameters
        ----------
        X : array-like, shape (m, n_in)
        threads : int, optional
            As in `predict`.

        Returns
        -------
        ndarray, shape (m, embedded_width)
            Before `input_scale`. Without an embedding X itself, of the network's dtype.

        Examples
        --------
        >>> net = pymlp.Network([2, 1], embedding=pymlp.embeddings.Periodic([1], width=3), seed=0)
        >>> net.embed([[1.0, 2.0]])[0, :2]
        array([1., 2.], dtype=float32)
        """
        rows = self._architecture.rows("X", X)
        return self._core.embed(rows, config.threads(threads)) if self.embedding else rows

    def forward(self, X: ArrayLike, *, threads: int | None = None) -> Trace:
        """Return everything a forward pass computes, as the textbook's cache.

        Parameters
        ----------
        X : array-like, shape (m, n_in)
        threads : int, optional
            As in `predict`.

        Returns
        -------
        Trace
            ``trace.z[l]`` and ``trace.a[l]``, with ``a[0]`` the inputs, not yet embedded, and
            ``a[-1]`` the outputs.

        Examples
        --------
        >>> net = pymlp.Network([2, 4, 3], output="softmax", seed=0)
        >>> trace = net.forward(np.zeros((300, 2)))
        >>> [a.shape for a in trace.a]
        [(300, 2), (300, 4), (300, 3)]
        """
        rows = self._architecture.rows("X", X)
        z, a = self._core.forward(rows, config.threads(threads))
        return Trace([None, *z], [rows, *a])

    # ---- losses and gradients --------------------------------------------------------------------

    def loss(
        self,
        X: ArrayLike,
        y: ArrayLike,
        *,
        loss: AnyLoss = "auto",
        sample_weight: ArrayLike | None = None,
        training: bool = False,
        threads: int | None = None,
    ) -> float:
        """Return the mean loss over the samples.

        Parameters
        ----------
        X : array-like, shape (m, n_in)
        y : array-like
            ``cross_entropy``: integer labels (m,) or probabilities (m, n_out). Others: (m, n_out),
            or (m,) where the network has one output.
        loss : str or Loss, default "auto"
            "auto": cross_entropy behind softmax, binary_cross_entropy behind sigmoid, else mse.
        sample_weight : array-like, shape (m,), optional
            The mean is weighted by these: sum(w_i loss_i) / sum(w_i).
        training : bool, default False
            As a training step would see it: with dropout, and batch norm by these samples' own
            means and variances. Running statistics and later draws stay where they are.
        threads : int, optional

        Returns
        -------
        float
            Without penalties.

        Raises
        ------
        TypeError, ValueError
            Where an argument is of the wrong kind or shape, or the loss does not go with the output
            activation.

        Examples
        --------
        >>> net = pymlp.Network([2, 3], output="softmax", init="zeros")
        >>> round(net.loss([[1.0, 2.0]], [0]), 4)  # log 3
        1.0986
        """
        kind = losses.resolve(loss, self._architecture.activations[-1])
        samples = _samples.checked(X, y, sample_weight, kind, self._architecture)
        seed = self._training_seed(training, samples)
        return self._core.loss(*samples, kind.for_core(), seed, config.threads(threads))

    def evaluate(
        self,
        X: ArrayLike,
        y: ArrayLike,
        *,
        metrics: Metrics | None = None,
        loss: AnyLoss = "auto",
        sample_weight: ArrayLike | None = None,
        threads: int | None = None,
    ) -> dict[str, float]:
        """Return the mean loss over the samples, and metrics, by their names.

        Parameters
        ----------
        X, y, loss, sample_weight, threads
            As in `loss`.
        metrics : name, function, or several of them, optional
            As in `fit`. None: "accuracy" where y holds classes, else "r2".

        Returns
        -------
        dict of str to float
            "loss" first.

        Raises
        ------
        TypeError, ValueError
            As in `loss`; or where a metric does not go with y.

        Examples
        --------
        >>> net = pymlp.Network([2, 3], output="softmax", init="zeros")
        >>> net.evaluate([[1.0, 2.0], [0.0, 1.0]], [0, 1], metrics=["accuracy", "brier"])
        {'loss': 1.0986..., 'accuracy': 0.5, 'brier': 0.6666...}
        """
        kind = losses.resolve(loss, self._architecture.activations[-1])
        samples = _samples.checked(X, y, sample_weight, kind, self._architecture)
        n = config.threads(threads)
        mean_loss = self._core.loss(*samples, kind.for_core(), None, n)
        measured = _training.evaluate(self._core, self._architecture, samples, kind, metrics, n)
        return {"loss": mean_loss, **measured}

    def _training_seed(self, training: bool, samples: Any) -> int | None:
        """Return the seed of the next step's draws; None where nothing is as in training."""
        if not _checks.flag("training", training):
            return None
        _samples.check_rows(samples[0].shape[0], self._architecture)
        return self._next_seed()

    def gradients(
        self,
        X: ArrayLike,
        y: ArrayLike,
        *,
        loss: AnyLoss = "auto",
        sample_weight: ArrayLike | None = None,
        training: bool = False,
        dz: bool = False,
        threads: int | None = None,
    ) -> tuple[float, Gradients]:
        """Return the mean loss and its gradient with respect to the parameters.

        Parameters
        ----------
        X, y, loss, sample_weight, training, threads
            As in `loss`.
        dz : bool, default False
            Also return the gradients by the pre-activations of every layer.

        Returns
        -------
        J : float
            The mean loss.
        grads : Gradients
            ``grads.flat``, and shaped as the layers ``grads.weights``, ``grads.biases``,
            ``grads.input_scale``, ``grads.embedding_parameters``, ``grads.layers[l].weights``,
            ``.biases``, ``.gain``, ``.shift`` and ``.alpha``; where asked for ``grads.dz[l]``
            (m, n[l]), l = 1 ... L.

        Raises
        ------
        TypeError, ValueError
            As in `loss`.

        Examples
        --------
        >>> net = pymlp.Network([2, 3, 1], dtype="float64", seed=0)
        >>> J, grads = net.gradients([[1.0, 2.0]], [0.5], dz=True)
        >>> grads.weights[0].shape, grads.layers[1].biases.shape, grads.dz[1].shape
        ((2, 3), (1,), (1, 3))
        """
        kind = losses.resolve(loss, self._architecture.activations[-1])
        samples = _samples.checked(X, y, sample_weight, kind, self._architecture)
        core_loss, n_threads = kind.for_core(), config.threads(threads)
        wanted = _checks.flag("dz", dz)
        seed = self._training_seed(training, samples)
        flat = np.empty_like(self._parameters)
        J, of_layers = self._core.gradient(*samples, core_loss, seed, flat, wanted, n_threads)
        return J, Gradients(flat, self._tensors, [None, *of_layers] if wanted else None)

    def vjp(
        self, X: ArrayLike, dY: ArrayLike, *, threads: int | None = None
    ) -> tuple[Gradients, FloatArray]:
        """Pull a gradient at the outputs back to the parameters and the inputs.

        Parameters
        ----------
        X : array-like, shape (m, n_in)
        dY : array-like, shape (m, n_out)
            The gradient of any scalar J with respect to the outputs of `predict`.
        threads : int, optional

        Returns
        -------
        grads : Gradients
            dJ/d(parameters).
        dX : ndarray, shape (m, n_in)
            dJ/dX; 0 for codes of categories.

        Raises
        ------
        TypeError, ValueError
            Where X or dY is of the wrong kind or shape; the message names it.

        Examples
        --------
        >>> net = pymlp.Network([2, 1], init="zeros", dtype="float64")
        >>> net.parameters[:] = [2.0, -3.0, 0.0]
        >>> grads, dX = net.vjp([[1.0, 1.0]], [[1.0]])
        >>> dX
        array([[ 2., -3.]])
        """
        flat = np.empty_like(self._parameters)
        dX = derivatives.pull_back(self._core, self._architecture, X, dY, flat, threads)
        return Gradients(flat, self._tensors), dX

    def input_gradients(
        self, X: ArrayLike, dY: ArrayLike, *, threads: int | None = None
    ) -> FloatArray:
        """Pull a gradient at the outputs back to the inputs alone.

        What `vjp` returns second, bit by bit, in about two thirds of its time.

        Parameters
        ----------
        X, dY, threads
            As in `vjp`.

        Returns
        -------
        ndarray, shape (m, n_in)
            dJ/dX.

        Raises
        ------
        TypeError, ValueError
            Where X or dY is of the wrong kind or shape; the message names it.

        Examples
        --------
        >>> net = pymlp.Network([2, 1], init="zeros", dtype="float64")
        >>> net.parameters[:] = [2.0, -3.0, 0.0]
        >>> net.input_gradients([[1.0, 1.0]], [[1.0]])
        array([[ 2., -3.]])
        """
        return derivatives.pull_back(self._core, self._architecture, X, dY, None, threads)

    def check_gradients(
        self,
        X: ArrayLike,
        y: ArrayLike,
        *,
        loss: AnyLoss = "auto",
        sample_weight: ArrayLike | None = None,
    ) -> derivatives.GradientError:
        """Return the largest relative difference between `gradients` and central differences.

        The differences are taken in float64 for networks of either dtype, so the result is the
        error of `gradients`: around 1e-7 in float64 (that of the differences), 1e-5 in float32.
        Each is relative to the larger of the two numbers, or to a thousandth of the largest entry
        of the gradient where both are smaller. Kinks (relu at 0) within the step of 1e-5 spoil it.
        Takes two forward passes for each parameter.

        Parameters
        ----------
        X, y, loss, sample_weight
            As in `loss`.

        Returns
        -------
        GradientError
            A float that also knows which `parameter` it is about.

        Examples
        --------
        >>> net = pymlp.Network([3, 4, 2], hidden="tanh", dtype="float64", seed=0)
        >>> net.check_gradients(np.ones((5, 3)), np.ones((5, 2))) < 1e-6
        True
        """
        kind = losses.resolve(loss, self._architecture.activations[-1])
        still = self.copy()  # while another thread may train this one
        _, grads = still.gradients(X, y, loss=kind, sample_weight=sample_weight)
        return derivatives.check_gradients(
            grads.flat, still._core.arena, self._architecture, X, y, kind, sample_weight
        )

    # ---- training --------------------------------------------------------------------------------

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        *,
        epochs: int = 100,
        batch_size: int | Literal["auto"] | None = "auto",
        loss: AnyLoss = "auto",
        optimizer: optimizers.AnyOptimizer = "adam",
        learning_rate: float | None = None,
        validation: tuple[ArrayLike, ...] | float | None = None,
        early_stopping: EarlyStopping | bool | int | None = None,
        sample_weight: ArrayLike | None = None,
        shuffle: bool = True,
        drop_last: bool = False,
        seed: int | None = None,
        metrics: Metrics = (),
        callbacks: Iterable[Callable[[Network, History], bool | None]] = (),
        progress: bool = False,
        threads: int | None = None,
        max_seconds: float | None = None,
        schedule: AnySchedule | None = None,
        class_weight: Mapping[int, float] | Literal["balanced"] | None = None,
        scale_target: bool = False,
        l1: float = 0.0,
        l2: float = 0.0,
        clip_norm: float | None = None,
        clip_value: float | None = None,
        max_norm: float | None = None,
        average: float | None = None,
        freeze: Sequence[int] = (),
        checkpoint: str | os.PathLike[str] | None = None,
        checkpoint_every: int | None = None,
        resume: bool = False,
        **unknown: Never,
    ) -> History:
        """Train on batches of samples, epoch by epoch.

        Parameters
        ----------
        X : array-like or frame, shape (m, n_in)
            Finite; of two rows at least for batch norm. The columns of a frame (pandas, polars,
            pyarrow) go by their names: see `feature_names`.
        y : array-like
            As in `loss`.
        epochs : int, default 100
            How often every sample is seen.
        batch_size : int, "auto" or None, default "auto"
            Samples a step; the last batch of an epoch may be shorter. "auto": 32, for L-BFGS all
            samples. None: all samples. Batch norm needs two rows: a last batch of one row joins the
            one before it.
        loss : str or Loss, default "auto"
            As in `loss`.
        optimizer : str or Optimizer, default "adam"
            A name makes a fresh one; an object goes on from its last step.
        learning_rate : float, optional
            For an optimiser given by name; None takes its default.
        validation : (Xv, yv), (Xv, yv, weights) or float, optional
            Samples to measure the loss on after every epoch, or the share of X held out for that,
            whose rows are in `History.held_out`.
        early_stopping : EarlyStopping, int or bool, optional
            Watches the validation loss, or the training loss where there is no validation, or a
            metric. An integer is the patience; True is ``EarlyStopping()``.
        sample_weight : array-like, shape (m,), optional
            Every mean is weighted by these; held-out rows take theirs along.
        shuffle : bool, default True
            Visit the samples in a new order every epoch.
        drop_last : bool, default False
            Leave out the last batch of an epoch where it is shorter than the others.
        seed : int, optional
            Of orders and the held-out share; None goes on from the network's own seed.
        metrics : name, function, or several of them
            What is measured after every epoch, of the training samples and of those of validation,
            and recorded in `History.metrics`; `pymlp.metrics` has the names. A function is called
            as ``f(y, outputs)``, with y as the loss takes it and outputs (m, n_out), and with
            ``sample_weight=`` where it has a parameter of that name. Weights are the loss's.
        callbacks : iterable of callables
            Each is called as ``callback(network, history)`` after every recorded epoch; True ends
            training. The parameters are those that the epoch's validation loss was measured with;
            a callback may write them, and the next step uses what it wrote.
        progress : bool, default False
            Show a bar on standard error.
        threads : int, optional
            At most this many; the result is the same on any number.
        max_seconds : float, optional
            Stop at the first step after this long, callbacks included; the epoch in progress is
            recorded as it stands.
        schedule : Schedule or dict, optional
            How the optimiser's learning rate changes; see `pymlp.schedules`. A dict names what
            changes: "learning_rate", "weight_decay", "momentum", "epsilon" (where the optimiser has
            them), "l1", "l2", "clip_norm", "clip_value", "max_norm", "dropout", "input_dropout",
            "label_smoothing" (of the training loss; validation keeps its own). Each begins with
            what it is without a schedule, and one that is not there, or 0, is refused. Schedules
            plan for `epochs`, not for `max_seconds`. `History.learning_rate` has the rates; the
            optimiser keeps its own options, and a learning rate that is assigned meanwhile holds
            after `fit`.
        class_weight : dict or "balanced", optional
            Multiplies the sample weights by a weight for each class, which `y` names by an integer;
            classes that are not named have 1. "balanced": m / (classes x samples of the class), as
            counted in y. Validation samples are weighted by their classes too.
        scale_target : bool, default False
            Learn targets of numbers around 0 with deviation 1, each output by its own mean and
            deviation over the training samples, and predict in their units afterwards: the last
            layer's weights and biases take the scale in. For a linear output and a loss of numbers.
            Losses in the record are of the scaled targets, metrics in the targets' units; in a
            callback the network predicts scaled values. One whose last biases are all 0, as a new
            one's are, begins as it is; any other begins with what it predicts.
        l1, l2 : float, default 0
            Add ``l1 sum |w| + l2 / 2 sum w^2`` over the weights, not the biases, to what is
            minimised; it stands in `History.penalty`.
        clip_norm : float, optional
            Scale the gradient back to this length where it is longer.
        clip_value : float, optional
            Hold each entry of the gradient within this.
        max_norm : float, optional
            After every step, scale the weights into a unit back to this length where it is longer.
        average : float, optional
            Average the parameters, with a decay d in (0, 1) such as 0.999: the optimiser moves
            parameters ``w`` that only the steps see, and the network has ``e = d e + (1 - d) w``
            after every step, ``e = w`` after the first of this call; running statistics likewise.
            Validation, callbacks and early stopping see ``e``; it is what stays, and what a later
            call begins with. What a callback writes to it is written to ``w`` too. `max_norm` acts
            on ``w``. Not for L-BFGS, nor for `pymlp.ScheduleFreeAdamW`, which averages by itself.
        freeze : sequence of int, default ()
            Layers, counted from 0, whose parameters and running statistics stand still;
            `input_scale` and the embedding belong to layer 0. A frozen batch norm normalises with
            its running statistics; neither decay, nor penalties, nor `max_norm` touch a frozen
            layer.
        checkpoint : str or path, optional
            A safetensors file for what the training goes on from: the network as it was after the
            last epoch, the optimiser, the record. `pymlp.load` reads its network. It is replaced
            whole or not at all, and has the final state when training ends. The last whole epoch is
            kept too when an exception ends a step, but for L-BFGS.
        checkpoint_every : int, optional
            Epochs from one to the next; None: after a minute or more. L-BFGS, whose memory SciPy
            keeps, begins anew after so many (None: 50).
        resume : bool, default False
            Go on where the file is; begin where there is none. A training that was killed and goes
            on ends with the bits of one that was not, on any number of threads. The arguments must
            be the same, but for `threads`, `callbacks`, `metrics`, `progress` and `max_seconds`,
            and for more `epochs`, where no schedule depends on how many there are. What the network
            has learnt before does not matter: parameters and, without `seed`, draws are the file's.
            A training that has ended returns at once; one that `max_seconds` ended goes on. User
            functions are known by their names.

        Returns
        -------
        History
            Also kept as `history`.

        Raises
        ------
        TypeError, ValueError
            Where an argument is of the wrong kind or out of range, before anything is drawn. For a
            keyword of another library (``lr``, ``verbose``) the message names the one meant here.
            Later, where a schedule gives a number that is out of range. Where a checkpoint is of
            another training, with what differs (`FileFormatError`: where it is none).
        FileExistsError
            If there is a checkpoint, and `resume` is not set.
        TrainingDiverged
            When the loss or a parameter stops being finite; parameters and optimiser are as they
            were when the epoch began.
        KeyboardInterrupt
            On Ctrl-C, in the main thread, as Python hands signals to no other; the parameters are
            those of the last whole step, not the best ones. A training in another thread ends by
            `max_seconds`, or by a callback that returns True.
        RuntimeError
            If the network is being trained already, or a user function of it (an activation, the
            loss) or, beside one, another thread wrote its parameters in the middle of a step; they
            are put back.

        Warns
        -----
        UserWarning
            If a layer has a step activation: nothing up to it learns. If targets of numbers lie far
            from 0 or have a deviation far from 1, and `scale_target` is not set.

        Examples
        --------
        >>> X = np.linspace(-1, 1, 64).reshape(-1, 1)
        >>> net = pymlp.Network([1, 16, 1], hidden="tanh", seed=0)
        >>> history = net.fit(X, X**2, epochs=300, learning_rate=0.01)
        >>> history.loss[-1] < 0.01
        True
        """
        given = {
            "epochs": epochs, "batch_size": batch_size, "loss": loss, "optimizer": optimizer,
            "learning_rate": learning_rate, "validation": validation, "threads": threads, "l1": l1,
            "early_stopping": early_stopping, "sample_weight": sample_weight, "shuffle": shuffle,
            "drop_last": drop_last, "metrics": metrics, "callbacks": callbacks, "freeze": freeze,
            "progress": progress, "max_seconds": max_seconds, "schedule": schedule, "seed": seed,
            "class_weight": class_weight, "scale_target": scale_target, "resume": resume, "l2": l2,
            "clip_norm": clip_norm, "clip_value": clip_value, "max_norm": max_norm,
            "average": average, "checkpoint": checkpoint, "checkpoint_every": checkpoint_every,
        }  # fmt: skip
        refuse_unknown(Network.fit, unknown)
        options = FitOptions(given, self._architecture.activations[-1])
        return _training.fit(self.__trainee__(), X, y, options)

    def train_batch(
        self,
        X: ArrayLike,
        y: ArrayLike,
        *,
        optimizer: optimizers.Optimizer,
        loss: AnyLoss = "auto",
        sample_weight: ArrayLike | None = None,
        threads: int | None = None,
        l1: float = 0.0,
        l2: float = 0.0,
        clip_norm: float | None = None,
        clip_value: float | None = None,
        max_norm: float | None = None,
        **unknown: Never,
    ) -> float:
        """Take one step on one batch, for training loops written in Python.

        Parameters
        ----------
        X, y, loss, sample_weight
            As in `loss`.
        optimizer : Optimizer
            Keeps its state from call to call.
        threads : int, optional
        l1, l2, clip_norm, clip_value, max_norm
            As in `fit`.

        Returns
        -------
        float
            The mean loss before the step, with the penalties.

        Raises
        ------
        TypeError, ValueError
            Where an argument is of the wrong kind or out of range; the message names it.
        TrainingDiverged
            When the loss, or a parameter after the step, is not finite; parameters and optimiser
            are as they were.
        KeyboardInterrupt
            On Ctrl-C; parameters and optimiser are as they were, or the step is whole.
        RuntimeError
            If the network is being trained already, or a user function of it (or another thread)
            wrote its parameters in the middle of the step; they are put back.

        Examples
        --------
        >>> net = pymlp.Network([1, 1], init="zeros")
        >>> opt = pymlp.SGD(0.1)
        >>> losses = [net.train_batch([[1.0]], [[1.0]], optimizer=opt) for _ in range(3)]
        >>> losses[0], losses[2] < losses[1] < losses[0]
        (1.0, True)
        """
        refuse_unknown(Network.train_batch, unknown)
        optimizers.check_object(optimizer)
        limits = regularization({
            "l1": l1, "l2": l2, "clip_norm": clip_norm, "clip_value": clip_value,
            "max_norm": max_norm,
        })  # fmt: skip
        kind = losses.resolve(loss, self._architecture.activations[-1])
        architecture = self._architecture.named_by(X)
        samples = _samples.checked(X, y, sample_weight, kind, architecture)
        _samples.check_rows(samples[0].shape[0], self._architecture)
        _training.warn_of_steps(self._architecture, stacklevel=3)
        n_threads, seed = config.threads(threads), self._next_seed()
        state = optimizer.core_for(self, self._architecture)
        J, taken = self._core.step(*samples, kind.for_core(), state, limits, seed, n_threads)
        if not taken:
            fault = "a parameter is not finite after it" if np.isfinite(J) else f"the loss is {J}"
            raise TrainingDiverged(f"the step diverged: {fault}; nothing was changed")
        optimizer.belong_to(self)
        self._architecture = architecture
        if any(self.dropout) or self.input_dropout:
            self._take_seed()
        return J

    def __trainee__(self) -> _training.Trainee:
        """Return what trainings and stacks take of a network."""
        return _training.Trainee(
            self, self._core, self._architecture, self._next_seed, self._take_seed, self._put_draws
        )

    def _next_seed(self) -> int:
        # Steps of the golden ratio never meet in 2^64 calls; the generator behind mixes them.
        return (self._seed + (self._fits + 1) * 0x9E3779B97F4A7C15) % 2**64

    def _take_seed(self) -> None:
        # Not before it is certain that the call is not refused.
        self._fits += 1

    def _put_draws(self, seed: int, fits: int) -> None:
        self._seed, self._fits = seed, fits

    def release_memory(self) -> None:
        """Let go of the memory that calls use again.

        `train_batch` keeps what its last step worked in, `loss`, `gradients` and `vjp` up to 16 MB
        each. The next call takes it anew; a network that is not used any more has no such memory.

        Raises
        ------
        RuntimeError
            If the network is being trained.

        Examples
        --------
        >>> net = pymlp.Network([2, 1], init="zeros")
        >>> J = net.loss([[1.0, 2.0]], [1.0])
        >>> net.release_memory()
        >>> net.loss([[1.0, 2.0]], [1.0]) == J
        True
        """
        self._core.release_memory()

    # ---- keeping it ------------------------------------------------------------------------------

    def copy(self) -> Self:
        """Return an independent network with the same layers and parameters.

        Returns
        -------
        Network
            Of the class of this one. Its later draws are those that this one would make. Attributes
            that a user or a subclass set are the same objects (`copy.deepcopy` copies them too);
            `history` is None.

        Examples
        --------
        >>> net = pymlp.Network([2, 1], seed=0)
        >>> twin = net.copy()
        >>> twin.weights[0] = [[1.0], [2.0]]
        >>> (net.parameters == twin.parameters).tolist()
        [False, False, True]
        """
        twin = type(self).__new__(type(self))
        twin.__setstate__(self.__getstate__())
        twin._compute_with(self._arithmetic)
        return twin

    def __copy__(self) -> Self:
        return self.copy()

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        twin = memo[id(self)] = self.copy()
        vars(twin).update(deepcopy(self._attributes(), memo))
        return twin

    def _attributes(self) -> dict[str, Any]:
        """Return the attributes that a user or a subclass set."""
        return {name: value for name, value in vars(self).items() if name not in _FIELDS}

    def __getstate__(self) -> dict[str, Any]:
        state = self._architecture.to_dict() | {"seed": self._seed, "fits": self._fits}
        state["parameters"] = self._core.snapshot()
        attributes = self._attributes()
        return state | {"attributes": attributes} if attributes else state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self._build(Architecture.from_dict(state), state["seed"])
        self._fits = state["fits"]
        arena, parameters = self._core.arena, state["parameters"]
        if np.shape(parameters) != arena.shape:
            raise ValueError(f"parameters must be {arena.size}, not {np.size(parameters)}")
        arena[:] = parameters  # and what lies behind them
        vars(self).update(state.get("attributes", {}))

    def save(
        self, path: str | os.PathLike[str], *, optimizer: optimizers.Optimizer | None = None
    ) -> None:
        """Write the network to one safetensors file, which `pymlp.load` reads.

        The file has no attributes that a user or a subclass set; a pickle has them.

        Parameters
        ----------
        path : str or path
            No extension is added. A file of this name is replaced whole or not at all, and stays if
            the machine loses power afterwards.
        optimizer : Optimizer, optional
            Written with its state: ``pymlp.load(path, optimizer=True)`` returns both, and
            `train_batch` goes on with the bits of a loop that was not ended.

        Raises
        ------
        ValueError
            If an activation is a user function, which a file cannot hold; if a parameter is NaN or
            infinite, which `pymlp.load` refuses; if the optimiser remembers the steps of another
            network.
        OSError
            If the file cannot be written.

        Examples
        --------
        >>> import tempfile, pathlib
        >>> net = pymlp.Network([2, 4, 3], seed=0)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder) / "small.safetensors"
        ...     net.save(path)
        ...     same = pymlp.load(path)
        >>> bool((same.parameters == net.parameters).all())
        True
        """
        from pymlp.files import optimizer as kept

        kept.write(path, self, optimizer)
