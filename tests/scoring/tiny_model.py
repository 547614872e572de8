"""A model of ours that is small, made without torch: the mean of each colour through a matrix, three classes."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from runhive.formats.onnx_metadata import OnnxMetadata
from runhive.formats.preprocess import Preprocess

Draw = Callable[[Path], Path]  # writes an image there
SIZE = 24
METADATA = OnnxMetadata(
    name="colours",
    variant="fp32",
    classes=["rouge", "grün", 'say "青"'],
    preprocess=Preprocess(image_size=SIZE, resize_size=32, mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25)),
    weights_sha256="ab" * 32,
)
WEIGHTS = np.array([[2, -1, -1], [-1, 2, -1], [-1, -1, 2]], np.float32)


def model() -> onnx.ModelProto:
    """The model, to be changed by who wants it broken."""
    nodes = [
        helper.make_node("Cast", ["images"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("Div", ["floats", "scale"], ["scaled"]),
        helper.make_node("ReduceMean", ["scaled", "axes"], ["means"], keepdims=0),
        helper.make_node("MatMul", ["means", "weights"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
    ]
    constants = {"scale": np.float32(64), "axes": np.array([2, 3]), "weights": WEIGHTS}
    outputs = [helper.make_tensor_value_info(n, TensorProto.FLOAT, ["n", 3]) for n in ("logits", "probabilities")]
    graph = helper.make_graph(
        nodes, "colours", [helper.make_tensor_value_info("images", TensorProto.UINT8, ["n", 3, SIZE, SIZE])], outputs,
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )  # fmt: skip
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    helper.set_model_props(made, METADATA.to_entries())
    return made


def write_model(path: Path, made: onnx.ModelProto | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes((made or model()).SerializeToString(deterministic=True))
    return path


def logits_of(inputs: NDArray[np.uint8]) -> NDArray[np.float64]:
    """What the model has to say of inputs (n, 3, size, size)."""
    return (inputs.astype(np.float64) / 64).mean(axis=(2, 3)) @ WEIGHTS
