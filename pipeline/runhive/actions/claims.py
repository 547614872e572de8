"""What a run says of its model, against what the bytes of the model give."""

from collections.abc import Iterator, Mapping
from typing import Any

from runhive.actions.bundle import ONNX
from runhive.actions.reading import Opened, refused
from runhive.actions.rescore import predictions_of
from runhive.actions.weighing import ONNX_BYTES, Weighed
from runhive.formats.predictions import Predictions
from runhive.gate.images import Images
from runhive.metrics import VERSION
from runhive.report.score import is_share
from runhive.tracking.comparison import PREDICTIONS, changed_samples
from runhive.tracking.ledger.run import Run

SHARE = 0.01  # of the images whose answer may differ between torch and the ONNX file, at least one image
RELATIVE = 0.02  # of other numbers, such as losses


def check_file(opened: Opened, run: Run) -> None:
    """Raise RunhiveError where the model of the bundle is not the file that *run* filed."""
    filed = run.files.get(ONNX)
    listed = {file.path: file.sha256 for file in opened.bundle.files}
    if filed is None or listed["model/model.onnx"] != filed["sha256"]:
        raise refused(f"its model is not the one that run {run.run_id} filed")


def check_claims(run: Run, weighed: Weighed, claimed: Predictions | None) -> None:
    """Raise RunhiveError with the first number of *run* that its model does not give.

    *claimed* are the answers that the run keeps. What was scored on other images, or by another definition of the
    metrics, cannot be checked, and stays a claim.
    """
    scored, numbers, checked = weighed.scored, weighed.numbers, checked_sets(run, weighed)
    if run.training.get("weights_sha256", scored.weights_sha256) != scored.weights_sha256:
        raise refused(f"its model was made from other weights than run {run.run_id} says")
    for images, answered in zip(weighed.images, scored.runs, strict=True):
        if images.items.digest not in checked:
            continue
        given = predictions_of(images, answered.answers)
        for name, said, found in _contradictions(run, images, numbers):
            raise refused(f"run {run.run_id} says that {name} is {said:.4g}, its model gives {found:.4g}")
        if claimed is None or _differing(claimed, given) > max(1, SHARE * len(given.labels)):
            raise refused(f"{PREDICTIONS} of run {run.run_id} holds answers that its model does not give")


def checked_sets(run: Run, weighed: Weighed) -> list[str]:
    """The digests of the images on which the numbers of *run* can be checked: their names say which numbers."""
    if run.evaluation.get("metrics_version") != VERSION:
        return []
    claimed = _claimed_set(run)
    scored_on = (claimed.get("name"), claimed.get("digest"))
    return [images.items.digest for images in weighed.images if (images.items.name, images.items.digest) == scored_on]


def _contradictions(run: Run, images: Images, numbers: Mapping[str, float]) -> Iterator[tuple[str, float, float]]:
    most = max(SHARE, 1.5 / max(1, len(images.paths)))
    of_set = f"{_claimed_set(run).get('name')}."
    for name, claimed in sorted(run.metrics.items()):
        found = numbers.get(f"{images.items.name}.{name.removeprefix(of_set)}") if name.startswith(of_set) else None
        if found is not None:
            room = most if is_share(name) else max(most, RELATIVE * abs(found))
            if not abs(claimed - found) <= room:
                yield name, claimed, found
    if run.metrics.get(ONNX_BYTES, numbers[ONNX_BYTES]) != numbers[ONNX_BYTES]:
        yield ONNX_BYTES, run.metrics[ONNX_BYTES], numbers[ONNX_BYTES]


def _claimed_set(run: Run) -> Mapping[str, Any]:
    told = run.evaluation.get("evaluation_set")
    return told if isinstance(told, dict) else {}


def _differing(claimed: Predictions, given: Predictions) -> float:
    """How many images the two answer otherwise; infinitely many where they are of other images."""
    try:
        changed_samples(claimed, given)
    except ValueError:
        return float("inf")
    answers = [
        {
            (sha256, one.classes[label]): one.classes[answer]
            for sha256, label, answer in zip(one.sha256, one.labels, one.logits.argmax(axis=1), strict=True)
        }
        for one in (claimed, given)
    ]
    return float(sum(bool(answers[0][key] != answer) for key, answer in answers[1].items()))
