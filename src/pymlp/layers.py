"""Layers, traces and gradients: names for views of a network's arrays."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Generic, NoReturn, TypeVar, overload

from numpy.typing import ArrayLike

from pymlp import _arrays
from pymlp._arrays import FloatArray
from pymlp._checks import type_name
from pymlp._values import Immutable
from pymlp.activations import Activation
from pymlp.tensors import Tensor

__all__ = [
    "Gradients",
    "Layer",
    "LayerGradients",
    "Trace",
    "Views",
    "by_column",
    "by_layer",
    "input_scale",
    "sequences",
]

V = TypeVar("V")


class Views(Immutable, Sequence[FloatArray]):
    """Arrays that are views of one vector, of a network's parameters or a gradient: one a layer.

    Writing to an array changes the vector. Assigning to an item copies into its array, which stays
    the same object; assigning to a slice changes all of its arrays or, after an error, none.

    Examples
    --------
    >>> net = pymlp.Network([2, 3, 1], init="zeros")
    >>> net.weights[0] = [[1, 2, 3], [4, 5, 6]]
    >>> net.weights[0] -= 1
    >>> net.parameters[:6]
    array([0., 1., 2., 3., 4., 5.], dtype=float32)
    """

    _name: str
    _views: tuple[FloatArray, ...]

    def __init__(self, name: str, views: Sequence[FloatArray]) -> None:
        vars(self).update(_name=name, _views=tuple(views))

    def __len__(self) -> int:
        return len(self._views)

    def __iter__(self) -> Iterator[FloatArray]:
        return iter(self._views)

    @overload
    def __getitem__(self, index: int) -> FloatArray: ...
    @overload
    def __getitem__(self, index: slice) -> Views: ...
    def __getitem__(self, index: int | slice) -> FloatArray | Views:
        if isinstance(index, slice):
            return Views(self._name, self._views[index])
        return self._views[self._place(index)]

    def __setitem__(self, index: int | slice, value: Any) -> None:
        if not isinstance(index, slice):
            copy_into(f"{self._name}[{index}]", self[index], value)
            return
        places = range(len(self))[index]
        if not isinstance(value, Iterable) or len(values := list(value)) != len(places):
            came = len(values) if isinstance(value, Iterable) else type_name(value)
            raise ValueError(f"{self._name} must get {len(places)} arrays, not {came}")
        arrays = [
            fitting(f"{self._name}[{i}]", self._views[i], array).copy()
            for i, array in zip(places, values, strict=True)
        ]
        for i, array in zip(places, arrays, strict=True):
            self._views[i][...] = array

    def _place(self, index: int) -> int:
        try:
            return range(len(self))[index]
        except IndexError:
            raise IndexError(
                f"{self._name}[{index}] is out of range: there are {len(self)} arrays, one a layer"
            ) from None

    def __repr__(self) -> str:
        shapes = ", ".join(str(view.shape) for view in self._views)
        return f"<{self._name} of {len(self)} layers: {shapes}>"


def copy_into(name: str, view: FloatArray, values: ArrayLike) -> None:
    """Copy numbers of the view's shape into it."""
    if values is view:  # the end of `weights[l] -= step`
        return
    view[...] = fitting(name, view, values)


def fitting(name: str, view: FloatArray, values: ArrayLike) -> FloatArray:
    """Return numbers as an array of the view's shape and dtype."""
    array = _arrays.numbers(name, values)
    if array.shape != view.shape:
        raise ValueError(f"{name} must have shape {view.shape}, not {array.shape}")
    return _arrays.within_range(name, array, view.dtype)


class _View(Generic[V]):
    """An array of a layer, a view: assigning copies in. None where the layer has none."""

    def __init__(self, meaning: str) -> None:
        self.__doc__ = meaning

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, layer: Any, owner: type | None = None) -> V:
        if layer is None:
            return self  # type: ignore[return-value]  # for documentation
        result: V = vars(layer)["_views"].get(self._name)
        return result

    def __set__(self, layer: Any, values: Any) -> None:
        view: Any = self.__get__(layer)
        if view is None:
            layer._refuse(self._name)
        check_state(self._name, fitting(self._name, view, values))
        copy_into(self._name, view, values)


def check_state(name: str, values: FloatArray) -> None:
    """Refuse variances that are none: roots are taken of them."""
    if name.endswith("running_variance") and not (values >= 0).all():
        raise ValueError(f"{name} must be at least 0, not {values.min():g}")


class Layer(Immutable):
    """One layer: ``a = activation(x @ weights + biases)``, and what a network adds to that.

    Assigning to an array copies in; nothing else can be assigned. All arrays are writable views of
    the network's memory; those that the layer does not have are None.

    Attributes
    ----------
    weights : ndarray, shape (n_in, n_out)
    biases : ndarray, shape (n_out,), or None
        None in a network without biases.
    gain, shift : ndarray, shape (n_out,), or None
        Of the norm; an RMS norm has no shift.
    alpha : ndarray, shape (n_out,), or None
        Of a parametric activation.
    running_mean, running_variance : ndarray, shape (n_out,), or None
        Of batch norm: what it normalises with outside training.
    activation : Activation
    residual : bool
        Whether its inputs are added to its outputs.

    Examples
    --------
    >>> pymlp.Network([2, 3, 1], seed=0).layers[0]
    Layer(2 -> 3, ReLU())
    """

    weights = _View[FloatArray]("A writable view, shape (n_in, n_out).")
    biases = _View["FloatArray | None"]("A writable view, shape (n_out,), or None.")
    gain = _View["FloatArray | None"]("The norm's factors, shape (n_out,), or None.")
    shift = _View["FloatArray | None"]("The norm's summands, shape (n_out,), or None.")
    alpha = _View["FloatArray | None"]("Of a parametric activation, shape (n_out,), or None.")
    running_mean = _View["FloatArray | None"]("Of batch norm, shape (n_out,), or None.")
    running_variance = _View["FloatArray | None"]("Of batch norm, shape (n_out,), or None.")
    activation: Activation
    residual: bool

    def __init__(
        self, views: Mapping[str, FloatArray], activation: Activation, residual: bool = False
    ) -> None:
        vars(self).update(_views=views, activation=activation, residual=residual)

    def __setattr__(self, name: str, value: Any) -> None:
        if not isinstance(vars(type(self)).get(name, getattr(Layer, name, None)), _View):
            self._refuse(name)
        object.__setattr__(self, name, value)

    def _refuse(self, name: str) -> NoReturn:
        raise AttributeError(f"'{name}' of a layer cannot be assigned; make a new network")

    def __repr__(self) -> str:
        n_in, n_out = self.weights.shape
        return f"Layer({n_in} -> {n_out}, {self.activation!r})"


class Trace:
    """What a forward pass computed.

    Attributes
    ----------
    a : list of ndarray
        Activations: ``a[0]`` is X, ``a[l]`` (m, n[l]) the output of layer l, ``a[-1]`` the last.
    z : list of ndarray
        Pre-activations: ``z[l]`` (m, n[l]) belongs to ``a[l]``; ``z[0]`` is None: inputs have none.

    Examples
    --------
    >>> trace = pymlp.Network([2, 3, 1], seed=0).forward([[1.0, 2.0]])
    >>> trace.z[0], trace.z[1].shape, trace.a[-1].shape
    (None, (1, 3), (1, 1))
    """

    def __init__(self, z: list[FloatArray | None], a: list[FloatArray]) -> None:
        self.z = z
        self.a = a

    def __repr__(self) -> str:
        return f"Trace({len(self.a) - 1} layers, {len(self.a[0])} samples)"


class LayerGradients(Immutable):
    """The gradients of one layer's parameters: views, which can be written to but not replaced.

    Those of parameters that the layer does not have are None.

    Attributes
    ----------
    weights : ndarray, shape (n_in, n_out)
    biases, gain, shift, alpha : ndarray, shape (n_out,), or None
    """

    weights: FloatArray
    biases: FloatArray | None = None
    gain: FloatArray | None = None
    shift: FloatArray | None = None
    alpha: FloatArray | None = None

    def __init__(self, **views: FloatArray) -> None:
        vars(self).update(views)


class Gradients(Immutable):
    """The gradient of a scalar with respect to a network's parameters.

    Its arrays can be written to; assigning to an item of `weights` or `biases` copies in.

    Attributes
    ----------
    flat : ndarray, shape (n_parameters,)
        In the order of `Network.parameters`.
    weights, biases : Views
        Sequences of views of `flat`, shaped as those of the network's layers.
    input_scale : ndarray, shape (n_in,), or None
        None in a network without `scale_inputs`.
    embedding_parameters : mapping
        As `Network.embedding_parameters`.
    dz : list of ndarray, or None
        Where they were asked for: ``dz[l]`` (m, n[l]) is the gradient by the pre-activations of
        layer l, l = 1 ... L; ``dz[0]`` is None, as the inputs have none.

    Examples
    --------
    >>> _, grads = pymlp.Network([2, 1], init="zeros").gradients([[1.0, 2.0]], [1.0])
    >>> grads.flat
    array([-2., -4., -2.], dtype=float32)
    """

    flat: FloatArray
    dz: list[FloatArray | None] | None
    _tensors: tuple[Tensor, ...]
    _made: tuple[Views, Views]

    def __init__(
        self,
        flat: FloatArray,
        tensors: tuple[Tensor, ...],
        dz: list[FloatArray | None] | None = None,
    ) -> None:
        vars(self).update(flat=flat, dz=dz, _tensors=tensors)

    def _sequences(self) -> tuple[Views, Views]:
        # Made when asked for, once: that takes longer than the gradient of a small network.
        if "_made" not in vars(self):
            vars(self)["_made"] = sequences(by_layer(self._tensors, self.flat))
        return self._made

    @property
    def weights(self) -> Views:
        """Those of all layers."""
        return self._sequences()[0]

    @property
    def biases(self) -> Views:
        """Those of all layers that have any."""
        return self._sequences()[1]

    @property
    def input_scale(self) -> FloatArray | None:
        """That of the inputs' factors."""
        return input_scale(self._tensors, self.flat)

    @property
    def embedding_parameters(self) -> Mapping[int, Mapping[str, FloatArray]]:
        """Those of the embedding, by column of the inputs and by name."""
        return by_column(self._tensors, self.flat)

    @property
    def layers(self) -> tuple[LayerGradients, ...]:
        """The same by layer: ``layers[l].weights``, ``layers[l].biases`` and what else it has."""
        return tuple(LayerGradients(**views) for views in by_layer(self._tensors, self.flat))

    def __reduce__(self) -> tuple[Any, ...]:  # so that those of a copy are views of its own `flat`
        return Gradients, (self.flat, self._tensors, self.dz)


def sequences(of_layers: Sequence[Mapping[str, FloatArray]]) -> tuple[Views, Views]:
    """Return the weights of all layers, and the biases of those that have any."""

    def named(name: str) -> Views:
        return Views(name, [views[name] for views in of_layers if name in views])

    return named("weights"), named("biases")


def input_scale(tensors: Iterable[Tensor], arena: FloatArray) -> FloatArray | None:
    """Return the view of the inputs' factors, where there are any."""
    found = (tensor.view(arena) for tensor in tensors if tensor.attribute == "input_scale")
    return next(found, None)


def by_column(
    tensors: Iterable[Tensor], arena: FloatArray
) -> Mapping[int, Mapping[str, FloatArray]]:
    """Return the views of each embedded column by name."""
    result: dict[int, dict[str, FloatArray]] = {}
    for tensor in tensors:
        if tensor.column is not None:
            result.setdefault(tensor.column, {})[tensor.attribute] = tensor.view(arena)
    return MappingProxyType({column: MappingProxyType(views) for column, views in result.items()})


def by_layer(tensors: Iterable[Tensor], arena: FloatArray) -> list[dict[str, FloatArray]]:
    """Return the views of each layer by attribute."""
    of_layers = [tensor for tensor in tensors if tensor.of_layer]
    result: list[dict[str, FloatArray]] = [{} for tensor in of_layers if tensor.kind == "weights"]
    for tensor in of_layers:
        result[tensor.layer][tensor.attribute] = tensor.view(arena)
    return result
