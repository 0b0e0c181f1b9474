"""ONNX Runtime, inference alone: a plain run or bound inputs and outputs, whichever is faster."""

from __future__ import annotations

import time
from typing import Any

from benchmarks.cells import Cell
from benchmarks.peers import Run, UnsupportedError


def prepare(cell: Cell, threads: int) -> Run:
    """Return a function that predicts so many times."""
    if cell.training:
        raise UnsupportedError("it does not train")
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    session = onnxruntime.InferenceSession(
        make_model(cell), options, providers=["CPUExecutionProvider"]
    )
    X, _ = cell.data()
    return faster(plain(session, X), bound(session, X, cell))


def make_model(cell: Cell) -> bytes:
    """Return the network as an ONNX file."""
    from onnx import TensorProto, helper, numpy_helper

    number = {"float32": TensorProto.FLOAT, "float64": TensorProto.DOUBLE}[cell.dtype]
    nodes, constants = [], []
    layers = cell.parameters()
    for i, (w, b) in enumerate(layers):
        constants += [numpy_helper.from_array(w, f"w{i}"), numpy_helper.from_array(b, f"b{i}")]
        is_last = i == len(layers) - 1
        nodes.append(
            helper.make_node("Gemm", [f"a{i}", f"w{i}", f"b{i}"], ["out" if is_last else f"z{i}"])
        )
        if not is_last:
            nodes += activation(cell.hidden, f"z{i}", f"a{i + 1}")
    first = helper.make_tensor_value_info("a0", number, [cell.rows, cell.widths[0]])
    last = helper.make_tensor_value_info("out", number, [cell.rows, cell.widths[-1]])
    graph = helper.make_graph(nodes, "mlp", [first], [last], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)
    return bytes(model.SerializeToString())


def activation(name: str, z: str, a: str) -> list[Any]:
    """Return the nodes that make a of z."""
    from onnx import helper

    if name == "silu":  # an operator of its own only in newer versions; this pair is fused
        sigmoid = helper.make_node("Sigmoid", [z], [f"{z}s"])
        return [sigmoid, helper.make_node("Mul", [z, f"{z}s"], [a])]
    slope = {"alpha": 0.01} if name == "leaky_relu" else {}
    operator = {"leaky_relu": "LeakyRelu"}.get(name, name.capitalize())
    return [helper.make_node(operator, [z], [a], **slope)]


def plain(session: Any, X: Any) -> Run:
    """Return the run that takes and returns arrays."""

    def predict(times: int) -> None:
        for _ in range(times):
            session.run(None, {"a0": X})

    return predict


def bound(session: Any, X: Any, cell: Cell) -> Run:
    """Return the run whose inputs and outputs have their places once and for all."""
    import numpy as np
    import onnxruntime

    binding = session.io_binding()
    out = np.empty((cell.rows, cell.widths[-1]), cell.dtype)
    binding.bind_ortvalue_input("a0", onnxruntime.OrtValue.ortvalue_from_numpy(X))
    binding.bind_ortvalue_output("out", onnxruntime.OrtValue.ortvalue_from_numpy(out))

    def predict(times: int) -> None:
        for _ in range(times):
            session.run_with_iobinding(binding)

    return predict


def faster(*runs: Run) -> Run:
    """Return the fastest of several ways to do the same."""

    def seconds(run: Run) -> float:
        times = []
        for _ in range(20):
            start = time.perf_counter()
            run(1)
            times.append(time.perf_counter() - start)
        return min(times)

    return min(runs, key=seconds)


def about() -> dict[str, str]:
    """Return version and kernels."""
    import onnxruntime

    return {"version": onnxruntime.__version__, "provider": "CPUExecutionProvider (MLAS)"}
