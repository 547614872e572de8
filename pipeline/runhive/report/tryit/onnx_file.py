"""The ONNX file of a run that its page offers to try."""

from dataclasses import dataclass

from runhive.tracking.ledger.run import Run

PREFERRED = ("models/variants/fp16.onnx", "models/model.onnx")  # half the bytes to load, and the same answers


@dataclass(frozen=True)
class Onnx:
    """An ONNX file that a run left."""

    path: str
    bytes: int
    md5: str
    sha256: str


def onnx_of(run: Run) -> Onnx | None:
    """The file of *run* that is preferred; None where it left none."""
    found = next((path for path in PREFERRED if path in run.files), None)
    if found is None:
        return None
    told = run.files[found]
    return Onnx(found, told["bytes"], told["md5"], told["sha256"])
