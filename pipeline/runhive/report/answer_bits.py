"""A run's answers as one bit an image, in an order that all runs on the same samples share.

With them any two runs are compared in the page, as `tracking.comparison` compares their predictions.
"""

import base64
import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from runhive.formats.predictions import Predictions


@dataclass(frozen=True)
class Sample:
    """`sha256` is the digest of the image's content."""

    path: str
    sha256: str
    label: str


@dataclass(frozen=True)
class Answered:
    """`samples` are in the shared order, `digest` names them; index i of the arrays is sample i."""

    samples: list[Sample]
    digest: str
    right: NDArray[np.bool_]
    predicted: list[str]


def answered(predictions: Predictions) -> Answered:
    """Order the answers by content and label; equal ones stay in the order of the file, in which they are paired."""
    labels = [predictions.classes[label] for label in predictions.labels]
    order = sorted(range(len(labels)), key=lambda row: (predictions.sha256[row], labels[row]))
    chosen = predictions.logits.argmax(axis=1)
    samples = [Sample(predictions.paths[row], predictions.sha256[row], labels[row]) for row in order]
    named = "\0".join(f"{sample.sha256}\0{sample.label}" for sample in samples)
    return Answered(
        samples=samples,
        digest=hashlib.sha256(named.encode("utf-8", "surrogatepass")).hexdigest()[:16],
        right=(chosen == predictions.labels)[order],
        predicted=[predictions.classes[chosen[row]] for row in order],
    )


def packed(right: NDArray[np.bool_]) -> str:
    """The bits in base64, the first sample's the highest of the first byte."""
    return base64.b64encode(np.packbits(right).tobytes()).decode("ascii")
