"""Results to history: the run's events in the ledger, and the final numbers in results/metrics.json."""

import hashlib
import io
import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from ruamel.yaml import YAML

from runhive.files import write_atomic
from runhive.formats.data_report import DataReport
from runhive.formats.evaluation import Evaluation
from runhive.formats.model_card import ModelCard
from runhive.formats.parity import Parity
from runhive.formats.predictions import Predictions, read_predictions
from runhive.formats.train_record import TrainRecord
from runhive.preprocess import load_rgb
from runhive.stages import paths
from runhive.stages.opened import close_run
from runhive.stages.phase import read_phase
from runhive.tracking.comparison import changed_samples, compare, find_baseline, kept_predictions
from runhive.tracking.ledger import Ledger, open_ledger
from runhive.tracking.repository import main_root
from runhive.tracking.run import Event, Run, fold

PICTURE_SIDE = 320
PICTURES = 200  # of one run at most, the most confident mistakes first
LATER_STAGES = ("record", "report")  # left out of the dvc.lock that a run keeps: they come after it
SCORES = ("accuracy", "accuracy_low", "accuracy_high", "macro_f1", "nll", "brier", "ece")


def record() -> None:
    """Close the run that made the weights. The same inputs add nothing, however often this runs."""
    root = main_root()
    ledger = open_ledger(root)
    trained = TrainRecord.read(paths.TRAIN_RECORD)
    evaluation, parity = Evaluation.read(paths.EVALUATION), Parity.read(paths.PARITY)
    predictions = read_predictions(paths.PREDICTIONS)
    started = Event("started", trained.started, time=trained.started_at)
    before = ledger.run(trained.run_id) if ledger.has(trained.run_id) else fold(trained.run_id, [started])
    events = [started, fetched_event(), trained_event(trained), evaluated_event(evaluation), exported_event(parity)]
    shown = mistakes(predictions)
    if before.evaluation != evaluation.model_dump(mode="json"):
        baseline, reason = find_baseline(ledger, before, root)
        found = compare(ledger, predictions, evaluation.evaluation_set.digest, baseline, reason)
        events.append(Event("compared", asdict(found)))
        shown += changed_rows(ledger, predictions, baseline if found.comparable else None)
    events.append(Event("finished", {"state": "completed", "attempt": trained.attempt}))
    ledger.append(trained.run_id, events, kept_files(), pictures(predictions, shown))
    write_atomic(paths.METRICS, final_numbers(evaluation, parity))
    close_run(root, trained.run_id, trained.input_digest)
    print(f"recorded run {trained.run_id}: see it with `runhive runs show {trained.run_id}`")


def fetched_event() -> Event:
    """What the data were."""
    return Event("fetched", DataReport.read(paths.DATA_REPORT).model_dump(mode="json"), seconds=seconds_of("fetch"))


def trained_event(trained: TrainRecord) -> Event:
    """What training made. `record_md5` is how dvc.lock names this run."""
    card = ModelCard.read(paths.MODEL_CARD)
    data = {
        "weights_sha256": trained.weights_sha256,
        "record_md5": hashlib.md5(paths.TRAIN_RECORD.read_bytes(), usedforsecurity=False).hexdigest(),
        "epochs": trained.epochs,
        "selection": card.selection.model_dump(mode="json"),
        "parameters": card.parameters,
        "images_per_second": trained.images_per_second,
        "seconds": trained.seconds,
    }
    return Event("trained", data, seconds=seconds_of("train") or trained.seconds)


def evaluated_event(evaluation: Evaluation) -> Event:
    """How good it is."""
    metrics = {f"{evaluation.evaluation_set.name}.{name}": getattr(evaluation, name) for name in SCORES}
    data = {"metrics": metrics, "evaluation": evaluation.model_dump(mode="json")}
    return Event("evaluated", data, seconds=seconds_of("evaluate"))


def exported_event(parity: Parity) -> Event:
    """What is shipped, and how close it is."""
    metrics = {
        "export.onnx_bytes": parity.onnx_bytes,
        "export.relative_difference": parity.relative_difference,
        "export.top1_agreement": parity.top1_agreement,
    }
    return Event(
        "exported", {"metrics": metrics, "parity": parity.model_dump(mode="json")}, seconds=seconds_of("export")
    )


def seconds_of(stage: str) -> float | None:
    """How long the execution took that made what lies here; None where it came from the cache."""
    phase = read_phase(stage)
    return phase.seconds if phase else None


def mistakes(predictions: Predictions) -> list[int]:
    """Rows that the model got wrong, the most confident first."""
    predicted = predictions.logits.argmax(axis=1)
    wrong = (predicted != predictions.labels).nonzero()[0]
    margin = predictions.logits.max(axis=1) - predictions.logits[range(len(predicted)), predictions.labels]
    return [int(row) for row in sorted(wrong, key=lambda row: -margin[row])]


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
        if len(found) < PICTURES and predictions.sha256[row] not in found:
            image = load_rgb(paths.IMAGES / predictions.paths[row])
            image.thumbnail((PICTURE_SIDE, PICTURE_SIDE))
            jpeg = io.BytesIO()
            image.save(jpeg, "JPEG", quality=80)
            found[predictions.sha256[row]] = jpeg.getvalue()
    return found


def kept_files() -> dict[str, bytes]:
    """The files that a run keeps in the ledger."""
    lock = YAML(typ="safe").load(paths.LOCK) if paths.LOCK.exists() else {}
    text = io.StringIO()
    YAML().dump(without_later_stages(lock), text)
    return {
        "history.csv": paths.HISTORY.read_bytes(),
        "predictions.csv": paths.PREDICTIONS.read_bytes(),
        "params.yaml": paths.PARAMS.read_bytes(),
        "dvc.lock": text.getvalue().encode(),
    }


def without_later_stages(lock: dict[str, Any]) -> dict[str, Any]:
    """The part of dvc.lock that this run made."""
    stages = {name: stage for name, stage in lock.get("stages", {}).items() if name not in LATER_STAGES}
    return {**lock, "stages": stages}


def final_numbers(evaluation: Evaluation, parity: Parity) -> bytes:
    """Metrics as Git tracks them: no ids, no times."""
    numbers: dict[str, dict[str, float]] = {}
    for event in (evaluated_event(evaluation), exported_event(parity)):
        for name, value in event.data["metrics"].items():
            group, _, metric = name.partition(".")
            numbers.setdefault(group, {})[metric] = value
    return (json.dumps(numbers, indent=2, sort_keys=True) + "\n").encode()
