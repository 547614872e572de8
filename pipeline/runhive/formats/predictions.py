"""results/predictions.csv: the model's logits for every image of the evaluation set."""

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from runhive.errors import RunhiveError
from runhive.files import write_atomic
from runhive.metrics import softmax

COLUMNS = ["path", "sha256", "label", "predicted", "confidence"]
LOGIT = "logit:"


@dataclass(frozen=True)
class Predictions:
    """Row i of `logits` (images, classes) belongs to `paths[i]`; `labels` are indices into `classes`."""

    classes: list[str]
    paths: list[str]
    sha256: list[str]
    labels: NDArray[np.int64]
    logits: NDArray[np.float64]


def write_predictions(path: Path, predictions: Predictions) -> None:
    """Write one row per image, logits with nine significant digits, in the order given."""
    write_atomic(path, to_csv(predictions))


def to_csv(predictions: Predictions) -> bytes:
    """The bytes of the file."""
    import pandas as pd  # it takes a second to import, and most who know the format read no file

    probabilities = softmax(predictions.logits)
    classes = np.array(predictions.classes, dtype=object)
    frame = pd.DataFrame(
        {
            "path": predictions.paths,
            "sha256": predictions.sha256,
            "label": classes[predictions.labels],
            "predicted": classes[predictions.logits.argmax(axis=1)],
            "confidence": [f"{p:.6f}" for p in probabilities.max(axis=1)],
        }
    )
    for index, name in enumerate(predictions.classes):
        frame[LOGIT + name] = [f"{value:.9g}" for value in predictions.logits[:, index]]
    return frame.to_csv(index=False, lineterminator="\n").encode()


def read_predictions(path: Path) -> Predictions:
    """Read the file at *path*. Raises RunhiveError when it is missing or damaged or has other columns."""
    try:
        return from_csv(path.read_bytes(), str(path))
    except FileNotFoundError:
        raise RunhiveError(f"{path} is missing: run `dvc repro`") from None


def from_csv(data: bytes, where: str) -> Predictions:
    """Parse the bytes of the file; *where* names them in an error."""
    try:
        return _parse(data, where)
    except (ValueError, KeyError):  # no table, a row that is cut off, a label that is no class, text for a logit
        raise RunhiveError(f"{where} is damaged: run `dvc repro` to write it again") from None


def _parse(data: bytes, where: str) -> Predictions:
    import pandas as pd

    frame = pd.read_csv(io.BytesIO(data), dtype=str, keep_default_na=False)
    logits = [column for column in frame.columns if column.startswith(LOGIT)]
    if list(frame.columns) != COLUMNS + logits or not logits:
        raise RunhiveError(f"{where} has other columns than predictions have: run `dvc repro` to write it again")
    if frame.isna().to_numpy().any() or not data.endswith(b"\n"):
        raise ValueError("cut off")
    classes = [column.removeprefix(LOGIT) for column in logits]
    index = {name: position for position, name in enumerate(classes)}
    return Predictions(
        classes=classes,
        paths=list(frame["path"]),
        sha256=list(frame["sha256"]),
        labels=np.array([index[label] for label in frame["label"]], dtype=np.int64),
        logits=frame[logits].to_numpy(dtype=np.float64),
    )
