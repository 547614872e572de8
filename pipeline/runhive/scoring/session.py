"""ONNX Runtime on the CPU over a file of ours: inputs to logits and probabilities."""

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as state

from runhive.errors import RunhiveError
from runhive.mistakes import one_line
from runhive.preprocess import Pixels
from runhive.scoring.package import Package

Floats = NDArray[np.float32]
REFUSALS = (
    state.Fail, state.InvalidArgument, state.InvalidGraph, state.InvalidProtobuf, state.NotImplemented,
    state.RuntimeException,
)  # fmt: skip


def open_session(package: Package, where: str, threads: int) -> onnxruntime.InferenceSession:
    """ONNX Runtime over *package*. Raises RunhiveError where it cannot run it or its ends are not ours."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    # Threads that wait for work would spin, on the processors that decode the next images.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        session = onnxruntime.InferenceSession(package.content, options, providers=["CPUExecutionProvider"])
    except REFUSALS as error:
        raise RunhiveError(
            f"{where}: ONNX Runtime {onnxruntime.__version__} refuses it ({one_line(str(error))[:100]}): "
            "upgrade onnxruntime, or export it again"
        ) from None
    size, classes = package.metadata.preprocess.image_size, len(package.metadata.classes)
    floats = "tensor(float)"
    expected = [
        ("images", "tensor(uint8)", [3, size, size]),
        ("logits", floats, [classes]),
        ("probabilities", floats, [classes]),
    ]
    if [(end.name, end.type, end.shape[1:]) for end in [*session.get_inputs(), *session.get_outputs()]] != expected:
        raise RunhiveError(f"{where} has other inputs or outputs than its metadata say: export it again")
    return session


def answers(session: onnxruntime.InferenceSession, batch: Pixels) -> tuple[Floats, Floats]:
    """Logits and probabilities (n, classes) of inputs (n, 3, size, size)."""
    logits, probabilities = session.run(["logits", "probabilities"], {"images": batch})
    return logits, probabilities
