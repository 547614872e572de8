"""The gate's verdict on the model of a pull request, against the base branch's, from bytes alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from runhive.actions.bundle import ONNX
from runhive.actions.rescore import Scored, Unscored, numbers_of, predictions_of, read_sets, score_file
from runhive.errors import RunhiveError
from runhive.formats.predictions import Predictions
from runhive.gate.case import Answers, Case, Measured
from runhive.gate.evidence import tried_on
from runhive.gate.images import Images, parity_of
from runhive.gate.rules import judge
from runhive.gate.verdict import Verdict
from runhive.metrics import softmax
from runhive.params import Gate
from runhive.tracking.comparison import kept_predictions
from runhive.tracking.ledger.ledger import Ledger
from runhive.tracking.ledger.run import Run
from runhive.tracking.storage.artifacts import kept

ONNX_BYTES = "export.onnx_bytes"


@dataclass(frozen=True)
class Base:
    """The base branch: its folder with the evaluation sets, the gate that it asks, and its run, where it has one."""

    root: Path
    gate: Gate
    run: Run | None


@dataclass(frozen=True)
class Weighed:
    """What was computed of a model and of the base's: numbers, answers to the first set; and the verdict."""

    images: tuple[Images, ...]
    scored: Scored
    numbers: Mapping[str, float]
    base_numbers: Mapping[str, float]
    before: Predictions | None
    after: Predictions
    verdict: Verdict


def weigh(ledger: Ledger, base: Base, model: Path, run: Run, claimed: Predictions | None) -> Weighed:
    """Score *model* and that of the base anew, then ask the gate. *claimed* are the answers that *run* says it gave.

    Raises RunhiveError where the images of a set are not here, Unscored for a file that cannot be scored.
    """
    sets = read_sets(base.root, base.gate)
    scored = score_file(model, f"the model of run {run.run_id}", base.root, base.gate, sets)
    of_base = _scored_base(base, sets)
    opponent = [run.answers for run in of_base.runs] if of_base else _kept_answers(ledger, base, sets)
    verdict = judge(base.gate, _case(ledger, base, run, sets, scored, opponent, claimed))
    answers = [run.answers for run in scored.runs]
    return Weighed(
        images=tuple(sets),
        scored=scored,
        numbers=_numbers(sets, answers, scored),
        base_numbers=_numbers(sets, opponent, of_base),
        before=predictions_of(sets[0], opponent[0]) if opponent[0] else None,
        after=predictions_of(sets[0], answers[0]),
        verdict=verdict,
    )


def _numbers(sets: Sequence[Images], answers: Sequence[Answers | None], file: Scored | None) -> dict[str, float]:
    found: dict[str, float] = {}
    for images, told in zip(sets, answers, strict=True):
        found |= numbers_of(images, told) if told else {}
    return found | ({ONNX_BYTES: file.onnx_bytes} if file else {})


def _case(
    ledger: Ledger, base: Base, run: Run, sets: Sequence[Images], scored: Scored,
    opponent: Sequence[Answers | None], claimed: Predictions | None,
) -> Case:  # fmt: skip
    tried = tried_on(ledger)
    selection = run.training.get("selection")
    selected = selection.get("digest") if isinstance(selection, dict) else None
    measured = [
        Measured(
            items=images.items,
            candidate=answered.answers,
            current=current,
            selected=selected == images.items.digest,
            tried=tried.get(images.items.digest, 0),
            digest_before=None,
        )
        for images, answered, current in zip(sets, scored.runs, opponent, strict=True)
    ]
    parity, why = _parity(sets, scored, claimed)
    return Case(
        candidate=run.run_id,
        current=f"run {base.run.run_id}" if base.run else None,
        sets=tuple(measured),
        parity=parity,
        why_no_parity=why,
        onnx_bytes=scored.onnx_bytes,
        milliseconds=scored.milliseconds,
        faults=tuple(_faults(run)),
        machine=scored.machine,
    )


def _parity(sets: Sequence[Images], scored: Scored, claimed: Predictions | None) -> tuple[float | None, str]:
    """How far the ONNX file's answers are from those that the run kept, or why that cannot be told."""
    try:
        for images, answered in zip(sets, scored.runs, strict=True):
            if claimed and (found := parity_of(images, answered, claimed)) is not None:
                return found, ""
    except RunhiveError as error:  # it kept the same logits for all images
        return None, str(error)
    return None, "the run keeps no answers to the images of gate.evaluation_sets"


def _faults(run: Run) -> list[str]:
    """What is wrong with what the model was made from, as the run says; its lock is committed later."""
    told = []
    if not run.code.get("commit") or run.code.get("dirty"):
        told.append("its code was not committed as it ran")
    if not run.data.get("digest"):
        told.append("the digest of its data is not known")
    return told


def _scored_base(base: Base, sets: list[Images]) -> Scored | None:
    """The base's ONNX file, scored as the other; None where DVC's cache has it not."""
    content = kept(base.root, str(base.run.files.get(ONNX, {}).get("md5"))) if base.run else None
    if base.run is None or content is None:
        return None
    with TemporaryDirectory() as folder:
        path = Path(folder, "model.onnx")
        path.write_bytes(content)
        try:
            return score_file(path, f"the model of run {base.run.run_id}", base.root, base.gate, sets)
        except Unscored as error:  # the fault is the base branch's, and no pull request's
            raise RunhiveError(str(error)) from error


def _kept_answers(ledger: Ledger, base: Base, sets: list[Images]) -> list[Answers | None]:
    """The base's answers that the ledger keeps."""
    told = kept_predictions(ledger, base.run) if base.run else None
    return [_matched(images, told) if told else None for images in sets]


def _matched(images: Images, told: Predictions) -> Answers | None:
    """Answers that the ledger keeps, in the order of *images*; None where they are of others."""
    keys = list(zip(images.sha256, images.items.labels, strict=True))
    labels = [told.classes[label] for label in told.labels]
    rows = {key: row for row, key in enumerate(zip(told.sha256, labels, strict=True))}
    if set(keys) != rows.keys():
        return None
    return Answers(tuple(told.classes), softmax(told.logits[[rows[key] for key in keys]]))
