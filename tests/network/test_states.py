"""Running statistics: kept with the parameters, and not what no statistics can be."""

import pickle
import re
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import pymlp
from pymlp import Network


def batch_norm() -> Network:
    return Network([3, 5, 2], norm="batch", seed=0)


@pytest.mark.parametrize("wrong", [-1.0, np.nan])
def test_a_variance_below_zero_is_refused(wrong: float) -> None:
    layer = batch_norm().layers[0]
    with pytest.raises(ValueError, match="running_variance must be at least 0"):
        layer.running_variance = [1.0, 2.0, wrong, 1.0, 1.0]
    assert layer.running_variance is not None
    assert (layer.running_variance == 1.0).all()


def test_a_file_with_a_variance_below_zero_is_refused(tmp_path: Path) -> None:
    path, name = tmp_path / "net.safetensors", "layers.0.running_variance"
    net = batch_norm()
    layer = net.layers[0]
    assert layer.running_variance is not None
    layer.running_variance[1] = -2.0  # a view: nothing looks at it
    net.save(path)
    with pytest.raises(pymlp.FileFormatError, match=f"{name} must be at least 0, not -2"):
        pymlp.load(path)


def test_a_file_names_what_it_lacks(tmp_path: Path) -> None:
    from safetensors import safe_open

    path, name = tmp_path / "net.safetensors", "layers.0.running_mean"
    batch_norm().save(path)
    with safe_open(path, framework="numpy") as file:
        metadata = file.metadata()
    del metadata["crc32"]
    tensors = load_file(path)
    del tensors[name]
    save_file(tensors, path, metadata)
    with pytest.raises(pymlp.FileFormatError, match=f"lacks {name}"):
        pymlp.load(path)


def test_a_file_with_fields_of_a_later_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    batch_norm().save(path)
    data = path.read_bytes().replace(b'\\"seed\\"', b'\\"sead\\"')
    data = re.sub(rb',"crc32":"[0-9a-f]{8}"', b" " * 19, data)
    path.write_bytes(data)
    with pytest.raises(pymlp.FileFormatError, match="does not know its sead"):
        pymlp.load(path)


def test_a_state_of_another_size_is_refused() -> None:
    net = batch_norm()
    state = net.__getstate__() | {"parameters": np.zeros(1, np.float32)}
    with pytest.raises(ValueError, match="parameters must be 52, not 1"):
        Network.__new__(Network).__setstate__(state)
    assert pickle.loads(pickle.dumps(net)).layers[0].running_mean.shape == (5,)


def test_a_learnt_step_warns_as_a_step_does() -> None:
    net = Network([1, 2, 1], hidden=pymlp.Parametric("step"), seed=0)
    with pytest.warns(UserWarning, match="step activation"):
        net.fit([[1.0], [2.0]], [1.0, 0.0], epochs=1)
