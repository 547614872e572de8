"""Which images of the evaluation set a run keeps a small picture of: mistakes, what changed, and some right answers."""

import io
from collections import Counter
from collections.abc import Iterable

from runhive.decode import load_rgb
from runhive.formats.predictions import Predictions
from runhive.metrics import softmax
from runhive.stages import paths
from runhive.tracking.comparison import changed_samples, kept_predictions
from runhive.tracking.ledger.ledger import Ledger
from runhive.tracking.ledger.run import Run

SIDE = 320
MOST = 200  # pictures of one run, the most confident mistakes first
HITS, HITS_OF_A_CLASS = 40, 4


def mistakes(predictions: Predictions) -> list[int]:
    """Rows that the model got wrong, the most confident first."""
    predicted = predictions.logits.argmax(axis=1)
    wrong = (predicted != predictions.labels).nonzero()[0]
    margin = predictions.logits.max(axis=1) - predictions.logits[range(len(predicted)), predictions.labels]
    return [int(row) for row in sorted(wrong, key=lambda row: -margin[row])]


def doubtful_hits(predictions: Predictions) -> list[int]:
    """Of each class the rows that the model was least sure of and got right, a round of all classes after the other."""
    confidence = softmax(predictions.logits).max(axis=1)
    right = (predictions.logits.argmax(axis=1) == predictions.labels).nonzero()[0]
    seen: Counter[int] = Counter()
    rounds: list[tuple[int, int]] = []
    for row in sorted(map(int, right), key=lambda row: confidence[row]):
        label = int(predictions.labels[row])
        if seen[label] < HITS_OF_A_CLASS:
            rounds.append((seen[label], row))
            seen[label] += 1
    return [row for _, row in sorted(rounds)[:HITS]]


def changed_rows(ledger: Ledger, predictions: Predictions, baseline: Run | None) -> list[int]:
    """Rows that the model won or lost against *baseline*."""
    before = kept_predictions(ledger, baseline) if baseline else None
    if before is None:
        return []
    won, lost = changed_samples(before, predictions)
    return [*won, *lost]


def pictures(predictions: Predictions, rows: Iterable[int]) -> dict[str, bytes]:
    """Small JPEGs of the images of *rows*, by the SHA-256 of the image that they show."""
    found: dict[str, bytes] = {}
    for row in rows:
        if len(found) < MOST and predictions.sha256[row] not in found:
            found[predictions.sha256[row]] = picture(predictions.paths[row])
    return found


def picture(path: str) -> bytes:
    """A small JPEG of one image."""
    image = load_rgb(paths.IMAGES / path)
    image.thumbnail((SIDE, SIDE))
    jpeg = io.BytesIO()
    image.save(jpeg, "JPEG", quality=80)
    return jpeg.getvalue()
