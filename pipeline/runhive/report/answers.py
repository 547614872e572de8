"""predictions.csv to what a person wants to see: the mistakes, and the images whose answer changed."""

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from runhive.errors import RunhiveError
from runhive.formats.predictions import Predictions, from_csv
from runhive.metrics import softmax
from runhive.tracking.comparison import PREDICTIONS, changed_samples
from runhive.tracking.ledger.ledger import Ledger


@dataclass(frozen=True)
class Answer:
    """The model's answer for one image; `before` is the baseline's, where the two are compared.

    `cell` is the image's place in the confusion matrix: the indices of the actual and the predicted class.
    """

    path: str
    sha256: str
    actual: str
    predicted: str
    confidence: float
    cell: str
    before: str | None = None


@dataclass(frozen=True)
class Answers:
    """All answers of one run: index i of each array is image i. `digest` is that of the table's bytes."""

    digest: str
    predictions: Predictions
    predicted: NDArray[np.int64]
    confidence: NDArray[np.float64]

    def answer(self, image: int, before: str | None = None) -> Answer:
        of = self.predictions
        return Answer(
            path=of.paths[image],
            sha256=of.sha256[image],
            actual=of.classes[int(of.labels[image])],
            predicted=of.classes[int(self.predicted[image])],
            confidence=float(self.confidence[image]),
            cell=f"{int(of.labels[image])}-{int(self.predicted[image])}",
            before=before,
        )


def parse_answers(content: bytes) -> Answers | None:
    """The answers in *content*, or None where it is no table of predictions or holds what is no number."""
    try:
        predictions = from_csv(content, PREDICTIONS)
    except (RunhiveError, ValueError, KeyError):
        return None
    if not np.isfinite(predictions.logits).all():
        return None
    if not len(predictions.paths):
        return None
    digest = hashlib.sha256(content).hexdigest()
    return Answers(digest, predictions, predictions.logits.argmax(axis=1), softmax(predictions.logits).max(axis=1))


def answers_of(run_id: str, ledger: Ledger) -> Answers | None:
    """What the ledger keeps of a run's answers; None where it keeps none that can be read."""
    content = ledger.file(run_id, PREDICTIONS)
    return parse_answers(content) if content else None


def mistakes(answers: Answers) -> list[Answer]:
    """The wrong answers, the most confident first."""
    wrong = np.flatnonzero(answers.predicted != answers.predictions.labels)
    order = wrong[np.argsort(-answers.confidence[wrong], kind="stable")]
    return [answers.answer(int(image)) for image in order]


def doubtful_hits(answers: Answers) -> list[Answer]:
    """The right answers, the least confident first."""
    right = np.flatnonzero(answers.predicted == answers.predictions.labels)
    order = right[np.argsort(answers.confidence[right], kind="stable")]
    return [answers.answer(int(image)) for image in order]


def changed(answers: Answers, baseline: Answers) -> tuple[list[Answer], list[Answer]]:
    """The images that *answers* won over *baseline* and those it lost; none where the two are of different images."""
    try:
        won, lost = changed_samples(baseline.predictions, answers.predictions)
    except ValueError:
        return [], []
    of = baseline.predictions
    before = {digest: of.classes[int(answer)] for digest, answer in zip(of.sha256, baseline.predicted, strict=True)}
    digests = answers.predictions.sha256
    won_answers, lost_answers = ([answers.answer(row, before[digests[row]]) for row in rows] for rows in (won, lost))
    return won_answers, lost_answers
