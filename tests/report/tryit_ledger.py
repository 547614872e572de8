"""A repository with runs whose ONNX file can be tried: a small network made without torch, and drawn insects."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import pygit2
from onnx import TensorProto, helper, numpy_helper
from sample_ledger import Task, draw_insect, evaluate, parity

from runhive.formats.onnx_metadata import OnnxMetadata
from runhive.formats.predictions import Predictions, to_csv
from runhive.formats.preprocess import Preprocess
from runhive.scoring.model import Model
from runhive.scoring.package import parse_package
from runhive.tracking.ledger.ledger import Ledger, open_ledger
from runhive.tracking.ledger.run import Event
from runhive.tracking.storage.artifacts import describe, keep

SIZE, SIDE = 48, 56
CLASSES = ["ants", "<img src=x onerror=window.pwned=1>"]
HERE, ABSENT = "20261101-000001-abcdef", "20261101-000002-abcdef"
ONNX = "models/model.onnx"


@dataclass(frozen=True)
class Tried:
    root: Path
    ledger: Ledger
    model: Model
    predictions: Predictions


def network(seed: int) -> bytes:
    """A convolution with random weights, the mean of each channel, and a matrix."""
    rng = np.random.default_rng(seed)
    nodes = [
        helper.make_node("Cast", ["images"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("Div", ["floats", "scale"], ["scaled"]),
        helper.make_node("Conv", ["scaled", "kernel"], ["found"], strides=[2, 2], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["found"], ["positive"]),
        helper.make_node("ReduceMean", ["positive", "axes"], ["means"], keepdims=0),
        helper.make_node("MatMul", ["means", "weights"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
    ]
    constants = {
        "scale": np.float32(255),
        "kernel": rng.normal(0, 1, (16, 3, 3, 3)).astype(np.float32),
        "axes": np.array([2, 3]),
        "weights": rng.normal(0, 4, (16, 2)).astype(np.float32),
    }
    outputs = [helper.make_tensor_value_info(n, TensorProto.FLOAT, ["n", 2]) for n in ("logits", "probabilities")]
    graph = helper.make_graph(
        nodes, "insects", [helper.make_tensor_value_info("images", TensorProto.UINT8, ["n", 3, SIZE, SIZE])], outputs,
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )  # fmt: skip
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    metadata = OnnxMetadata(
        name="insects",
        variant="fp32",
        classes=CLASSES,
        preprocess=Preprocess(image_size=SIZE, resize_size=SIDE, mean=(0, 0, 0), std=(1, 1, 1)),
        weights_sha256="ab" * 32,
    )
    helper.set_model_props(made, metadata.to_entries())
    content: bytes = made.SerializeToString(deterministic=True)
    onnx.checker.check_model(made)
    return content


def make(root: Path) -> Tried:
    """One run whose ONNX file is in the cache and whose images lie in data/images, and one whose file is elsewhere."""
    pygit2.init_repository(str(root))
    ledger = open_ledger(root)
    labels = [index % 2 for index in range(12)]
    pictures = [draw_insect("ants" if label == 0 else "bees", index) for index, label in enumerate(labels)]
    task = Task("insects", CLASSES, pictures, labels, False)
    paths = [f"val/{label}/{index}.jpg" for index, label in enumerate(labels)]
    for path, picture in zip(paths, pictures, strict=True):
        file = root / "data/images" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(picture)
    content = network(0)
    model = Model(parse_package(content, "network"), "network")
    logits = model.logits([root / "data/images" / path for path in paths]).astype(np.float64)
    digests = [hashlib.sha256(picture).hexdigest() for picture in pictures]
    predictions = Predictions(CLASSES, paths, digests, np.array(labels), logits)
    other = network(1)
    for run_id, told in ((HERE, keep(root, content, "model")), (ABSENT, describe(other, "model"))):
        evaluation = evaluate(task, predictions)
        events = [
            Event("started", {"experiment": "insects", "data": {"digest": "cd" * 32}}),
            Event(
                "evaluated",
                {"metrics": {"val.accuracy": evaluation.accuracy}, "evaluation": evaluation.model_dump(mode="json")},
            ),
            Event("exported", {"metrics": {}, "parity": parity(0).model_dump(mode="json")}),
            Event("filed", {"files": {ONNX: told}}),
            Event("finished", {"state": "completed"}),
        ]
        wrong = np.flatnonzero(logits.argmax(axis=1) != labels)
        media = {digests[index]: pictures[index] for index in wrong}
        ledger.append(run_id, events, {"predictions.csv": to_csv(predictions)}, media)
    return Tried(root, ledger, model, predictions)
