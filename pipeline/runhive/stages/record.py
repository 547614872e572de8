"""Results to history: the run's events in the ledger, and the final numbers in results/metrics.json."""

import hashlib
from dataclasses import asdict
from pathlib import Path
from typing import Any

from runhive.files import read_whole, write_atomic
from runhive.formats.evaluation import Evaluation
from runhive.formats.model_card import ModelCard
from runhive.formats.parity import Parity
from runhive.formats.predictions import read_predictions
from runhive.formats.train_record import TrainRecord
from runhive.stages import paths
from runhive.stages.data_facts import data_facts, doubtful_images, kept_data_files, sample_images
from runhive.stages.inputs import digest_of, kept_inputs
from runhive.stages.opened import close_run
from runhive.stages.phase import Timer, read_phase
from runhive.stages.pictures import changed_rows, doubtful_hits, mistakes, picture, pictures
from runhive.tracking.comparison import compare, find_baseline
from runhive.tracking.final_numbers import final_numbers
from runhive.tracking.ledger.entry import FILE_BYTES
from runhive.tracking.ledger.ledger import open_ledger
from runhive.tracking.ledger.run import Event, Run, fold
from runhive.tracking.life.intake import contents
from runhive.tracking.life.outbox import outbox
from runhive.tracking.repository import main_root
from runhive.tracking.storage.artifacts import describe_file, without_sha256

LATER_STAGES = ("record", "report")  # left out of the dvc.lock that a run keeps: they come after it
FILES = {
    paths.WEIGHTS: "model",
    paths.ONNX: "model",
    paths.MODEL_CARD: "file",
    paths.MANIFEST: "data",
    paths.HISTORY: "table",
    paths.PREDICTIONS: "table",
    paths.EVALUATION: "file",
    paths.PARITY: "file",
}
IN_LEDGER = {paths.HISTORY: "history.csv", paths.PREDICTIONS: "predictions.csv"}
MATRIX_CLASSES = 300
SIGNIFICANT = 6  # digits of speeds, of an export and of each class, in the ledger; the headline numbers are whole
SCORES = ("accuracy", "accuracy_low", "accuracy_high", "macro_f1", "nll", "brier", "ece")


def record() -> None:
    """Close the run that made the weights. The same inputs add nothing, however often this runs."""
    timer, root = Timer(), main_root()
    ledger = open_ledger(root)
    trained = TrainRecord.read(paths.TRAIN_RECORD)
    evaluation, parity = Evaluation.read(paths.EVALUATION), Parity.read(paths.PARITY)
    predictions = read_predictions(paths.PREDICTIONS)
    started = Event("started", trained.started, time=trained.started_at)
    before = ledger.run(trained.run_id) if ledger.has(trained.run_id) else fold(trained.run_id, [started])
    left = contents(ledger, root, trained.run_id)
    events = [
        started,
        *left.events,
        ended("fetch", "fetched", data_facts()),
        trained_event(trained),
        evaluated_event(evaluation),
        exported_event(parity),
    ]
    shown = mistakes(predictions)
    if before.evaluation != kept_evaluation(evaluation):
        baseline, reason = find_baseline(ledger, before, root)
        found = compare(ledger, predictions, evaluation.evaluation_set.digest, baseline, reason)
        events.append(Event("compared", asdict(found)))
        shown += changed_rows(ledger, predictions, baseline if found.comparable else None)
    shown += doubtful_hits(predictions)
    if filed := new_files(before):
        events.append(Event("filed", filed))
    outcome = outcome_digest(evaluation, parity)
    finished = {"state": "completed", "attempt": trained.attempt, "outcome_digest": outcome}
    events += [timer.event("recorded"), Event("finished", finished)]
    of_data = {
        sha256: picture(path)
        for sha256, path in (doubtful_images() | sample_images()).items()
        if ledger.media(sha256) is None
    }
    ledger.append(trained.run_id, events, kept_files() | left.files, pictures(predictions, shown) | of_data)
    told = (evaluated_event(evaluation), exported_event(parity))
    write_atomic(paths.METRICS, final_numbers(event.data["metrics"] for event in told))
    outbox(root, trained.run_id).drop(left.taken)
    close_run(root, trained.run_id, trained.input_digest)
    print(f"recorded run {trained.run_id}: see it with `runhive runs show {trained.run_id}`")


def trained_event(trained: TrainRecord) -> Event:
    """What training made. `record_md5` is how dvc.lock names this run."""
    card = ModelCard.read(paths.MODEL_CARD)
    data = {
        "weights_sha256": trained.weights_sha256,
        "record_md5": hashlib.md5(read_whole(paths.TRAIN_RECORD), usedforsecurity=False).hexdigest(),
        "epochs": trained.epochs,
        "selection": card.selection.model_dump(mode="json"),
        "parameters": card.parameters,
        "images_per_second": trained.images_per_second,
        "seconds": trained.seconds,
    }
    return ended("train", "trained", rounded(data), trained.seconds)


def evaluated_event(evaluation: Evaluation) -> Event:
    """How good it is."""
    metrics = {f"{evaluation.evaluation_set.name}.{name}": getattr(evaluation, name) for name in SCORES}
    data = {"metrics": metrics, "evaluation": kept_evaluation(evaluation)}
    return ended("evaluate", "evaluated", data)


def kept_evaluation(evaluation: Evaluation) -> dict[str, Any]:
    """What the ledger keeps of it: a confusion matrix grows with the square of the classes."""
    kept = evaluation.model_dump(mode="json")
    kept["per_class"] = rounded(kept["per_class"])
    return kept if len(evaluation.classes) <= MATRIX_CLASSES else kept | {"confusion": []}


def exported_event(parity: Parity) -> Event:
    """What is shipped, and how close it is."""
    metrics = {
        "export.onnx_bytes": parity.onnx_bytes,
        "export.relative_difference": parity.relative_difference,
        "export.top1_agreement": parity.top1_agreement,
    }
    for variant in parity.variants:
        if not variant.reason:
            metrics[f"export.{variant.name}_bytes"] = variant.onnx_bytes
            metrics[f"export.{variant.name}_top1_agreement"] = variant.top1_agreement
    return ended("export", "exported", rounded({"metrics": metrics, "parity": parity.model_dump(mode="json")}))


def rounded(told: Any) -> Any:
    """Return *told*, which JSON can hold, with each float to SIGNIFICANT digits."""
    if isinstance(told, float):
        return float(f"{told:.{SIGNIFICANT}g}")
    if isinstance(told, list):
        return [rounded(one) for one in told]
    return {name: rounded(one) for name, one in told.items()} if isinstance(told, dict) else told


def ended(stage: str, type: str, data: dict[str, Any], seconds: float | None = None) -> Event:
    """The event of a stage, with the times of the execution that made what lies here; *seconds* stands in for it."""
    if phase := read_phase(stage):
        return Event(type, data, seconds=phase.seconds, began=phase.started_at)
    return Event(type, data, seconds=seconds)


def new_files(before: Run) -> dict[str, Any]:
    """What a `filed` event says of files that the ledger does not know yet, or that are no more; {} for none.

    DVC's cache holds each by its MD5.
    """
    kept = in_ledger()
    files = FILES | dict.fromkeys(sorted(paths.VARIANTS.glob("*.onnx")), "model")
    found = {path.as_posix(): described(path, kind) | {"ledger": kept.get(path)} for path, kind in files.items()}
    new = {path: told for path, told in found.items() if before.files.get(path) != told}
    gone = sorted(path for path in before.files if Path(path).parent == paths.VARIANTS and path not in found)
    return {"files": new} | ({"gone": gone} if gone else {}) if new or gone else {}


def described(path: Path, kind: str) -> dict[str, Any]:
    """What is filed of a file: the SHA-256 only of what a version holds, as a run has many files."""
    told = describe_file(path, kind)
    return told if kind == "model" or path == paths.MODEL_CARD else without_sha256(told)


def outcome_digest(evaluation: Evaluation, parity: Parity) -> str:
    """The same weights with the same numbers have the same digest."""
    numbers = [event.data["metrics"] for event in (evaluated_event(evaluation), exported_event(parity))]
    return digest_of({"weights": evaluation.weights_sha256, "metrics": numbers})


def in_ledger() -> dict[Path, str]:
    """Those of IN_LEDGER that are small enough for it."""
    return {path: name for path, name in IN_LEDGER.items() if path.stat().st_size <= FILE_BYTES}


def kept_files() -> dict[str, bytes]:
    """The files that a run keeps in the ledger."""
    tables = {name: read_whole(path) for path, name in in_ledger().items()}
    return {**tables, **kept_inputs(LATER_STAGES), **kept_data_files()}
