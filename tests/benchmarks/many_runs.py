"""A ledger of many finished runs, written in a second a thousand: one pack by `git fast-import`.

Each run has 10 parameters, 25 epochs, a confusion matrix of 10 classes, a log, and the record of a whole pipeline.
"""

import random
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pygit2

from runhive.formats.evaluation import ClassScore, Evaluation, EvaluationSet
from runhive.metrics import wilson_interval
from runhive.tracking.ledger.batch import batch_name, write_batch
from runhive.tracking.ledger.kept import Kept
from runhive.tracking.ledger.ledger import Ledger, open_ledger
from runhive.tracking.ledger.objects import REF
from runhive.tracking.ledger.run import Event, run_folder

EPOCHS = 25
CLASSES = [f"class {letter}" for letter in "ABCDEFGHIJ"]
IMAGES = 500
COLUMNS = "epoch,lr,train_loss,train_accuracy,check_loss,check_accuracy,seconds"
START = datetime(2026, 1, 1, tzinfo=UTC)
PACKAGES = dict.fromkeys(("dvc", "numpy", "onnx", "onnxruntime", "pillow", "runhive", "torch"), "1.2.3")


def make_ledger(folder: Path, runs: int) -> Ledger:
    """A repository in *folder* with *runs* runs."""
    pygit2.init_repository(str(folder))
    add_runs(folder, range(runs))
    return open_ledger(folder)


def add_runs(folder: Path, numbers: range) -> None:
    """Add the runs of these *numbers* in one commit."""
    has_tip = subprocess.run(["git", "rev-parse", "-q", "--verify", REF], cwd=folder, capture_output=True).returncode
    with subprocess.Popen(["git", "fast-import", "--quiet"], cwd=folder, stdin=subprocess.PIPE) as importer:
        assert importer.stdin
        put = importer.stdin.write
        put(f"commit {REF}\ncommitter b <b@example.org> {numbers.stop} +0000\ndata 5\nruns\n\n".encode())
        put(b"" if has_tip else f"from {REF}^0\n".encode())
        for number in numbers:
            for path, content in run_files(number):
                put(f"M 100644 inline {path}\ndata {len(content)}\n".encode() + content + b"\n")
    assert not importer.returncode


def run_id(number: int) -> str:
    return f"{START + timedelta(minutes=15 * number):%Y%m%d-%H%M%S}-{number:06x}"


def run_files(number: int) -> Iterator[tuple[str, bytes]]:
    """Path and content of each of the run's files in the ledger."""
    folder, chance = run_folder(run_id(number)), random.Random(number)
    listed = events(number, chance)
    batch = write_batch([replace(event, order=order) for order, event in enumerate(listed, 1)])
    yield f"{folder}/{batch_name(1, batch)}", batch
    for name, content in {"history.csv": history(chance), "log.txt": log(), "params.yaml": b"experiment: x\n"}.items():
        yield f"{folder}/{Kept(len(listed), str(pygit2.hash(content)), name).path()}", content


def events(number: int, chance: random.Random) -> list[Event]:
    started = START + timedelta(minutes=15 * number)
    scored = evaluation(chance)
    metrics = {f"val.{name}": getattr(scored, name) for name in ("accuracy", "accuracy_low", "accuracy_high", "nll")}
    training = {"weights_sha256": digest(chance), "epochs": EPOCHS, "parameters": 11_177_538}
    compared = {"baseline": run_id(number - 1) if number else None, "reason": "the run before it", "p": 0.3}
    said: list[tuple[str, dict[str, Any], float]] = [
        ("started", description(number, chance), 0),
        ("trained", training | {"selection": {"rule": "last", "epoch": EPOCHS}}, 120.5),
        ("evaluated", {"metrics": metrics, "evaluation": scored.model_dump(mode="json")}, 4.2),
        ("compared", compared | {"comparable": number > 0, "won": 9, "lost": 5}, 0),
        ("finished", {"state": "completed", "attempt": 1}, 0),
    ]
    return [
        Event(type, data, (started + timedelta(minutes=step)).isoformat(timespec="milliseconds"), seconds or None)
        for step, (type, data, seconds) in enumerate(said)
    ]


def description(number: int, chance: random.Random) -> dict[str, Any]:
    train = {"lr": chance.choice([0.1, 0.01]), "batch_size": 32, "epochs": EPOCHS, "seed": number, "mode": "finetune"}
    options = {f"option_{letter}": chance.choice(["yes", "no"]) for letter in "abcd"}
    return {
        "experiment": f"experiment-{number % 5}",
        "params": {"model": {"arch": chance.choice(["resnet18", "resnet50"])}, "train": train | options},
        "code": {"commit": digest(chance)[:40], "branch": "main", "dirty": False, "changed": []},
        "data": {"digest": "d" * 64, "classes": CLASSES, "counts": {"val": dict.fromkeys(CLASSES, 50)}},
        "environment": {"python": "3.11.7", "host": "hive-01", "cpu": "AMD EPYC", "cores": 16, "packages": PACKAGES},
    }


def evaluation(chance: random.Random) -> Evaluation:
    accuracy = chance.uniform(0.8, 0.95)
    hits = [round(50 * chance.uniform(accuracy - 0.05, min(1, accuracy + 0.05))) for _ in CLASSES]
    confusion = [
        [hit if a == p else 50 - hit if p == (a + 1) % 10 else 0 for p in range(10)] for a, hit in enumerate(hits)
    ]
    low, high = wilson_interval(sum(hits), IMAGES)
    shares = [hit / 50 for hit in hits]
    return Evaluation(
        schema_version=1, metrics_version=1,
        evaluation_set=EvaluationSet(name="val", digest="e" * 64, images=IMAGES), selected_on_these_images=False,
        weights_sha256=digest(chance), classes=CLASSES, accuracy=sum(hits) / IMAGES, accuracy_low=low,
        accuracy_high=high, macro_f1=sum(shares) / 10, nll=0.31, brier=0.12, ece=0.03,
        per_class=[ClassScore(label=label, images=50, precision=share, recall=share, f1=share, roc_auc=0.98,
                              average_precision=0.97) for label, share in zip(CLASSES, shares, strict=True)],
        confusion=confusion,
    )  # fmt: skip


def history(chance: random.Random) -> bytes:
    rows = [COLUMNS]
    for epoch in range(1, EPOCHS + 1):
        loss = 2 / epoch + chance.random() / 10
        rows.append(f"{epoch},0.01,{loss:.6f},{1 - loss / 4:.6f},{loss + 0.1:.6f},{0.95 - loss / 4:.6f},4.8")
    return ("\n".join(rows) + "\n").encode()


def log() -> bytes:
    lines = [f"epoch {epoch}/25  train 0.{epoch:04}  check 0.{epoch:04}  4.8 s" for epoch in range(1, EPOCHS + 1)]
    return ("\n".join(["training on cpu, 16 threads", *lines]) + "\n").encode()


def digest(chance: random.Random) -> str:
    return f"{chance.getrandbits(256):064x}"
