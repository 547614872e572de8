"""Score an ONNX file on the base branch's named evaluation sets, in a process of its own without secrets."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

import runhive
from runhive.actions.scorer import Task, run
from runhive.errors import RunhiveError
from runhive.formats.predictions import Predictions
from runhive.gate.case import Answers
from runhive.gate.images import Images, Run, read_set
from runhive.metrics import (
    brier_score,
    calibration,
    confusion_matrix,
    negative_log_likelihood,
    precision_recall_f1,
    softmax,
    wilson_interval,
)
from runhive.mistakes import one_line
from runhive.params import Gate

SECONDS = 840  # for one model, of the 30 minutes that the step has for two
KNOWN = ("PATH", "LANG", "LC_ALL", "TMPDIR", "VIRTUAL_ENV", "LD_LIBRARY_PATH")
SOURCE = Path(runhive.__file__).resolve().parent.parent  # the base branch's code, installed or not

Floats = NDArray[np.float64]


class Unscored(RunhiveError):
    """The fault is the model's."""


@dataclass(frozen=True)
class Scored:
    """What a model says of each evaluation set, and what its file says of itself."""

    runs: tuple[Run, ...]
    weights_sha256: str
    onnx_bytes: int
    milliseconds: float
    machine: dict[str, Any]


def read_sets(root: Path, gate: Gate) -> list[Images]:
    """The named evaluation sets of the base branch. Raises RunhiveError where images are missing or others."""
    return [read_set(root, name, frozen) for name, frozen in gate.evaluation_sets.items()]


def score_file(model: Path, title: str, root: Path, gate: Gate, sets: list[Images]) -> Scored:
    """Score *model*. Raises RunhiveError where it is no model of ours, or takes too much."""
    with TemporaryDirectory() as folder:
        task = Task(str(model.resolve()), title, str(root.resolve()), dict(gate.evaluation_sets), folder)
        surroundings = {name: os.environ[name] for name in KNOWN if name in os.environ}
        surroundings["PYTHONPATH"] = os.pathsep.join(filter(None, [str(SOURCE), os.environ.get("PYTHONPATH")]))
        try:
            done = subprocess.run(
                [sys.executable, "-m", "runhive.actions.scorer"], input=run(task) + "\n", text=True, cwd=folder,
                env=surroundings, capture_output=True, timeout=SECONDS, errors="replace",
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise Unscored(f"{title} takes more than {SECONDS // 60} minutes to score: it is refused") from None
        if done.returncode != 0:
            ended = f"signal {-done.returncode} ended it" if done.returncode < 0 else f"it ended with {done.returncode}"
            said = one_line((done.stderr.strip().splitlines() or [ended])[-1])[:300]
            raise Unscored(f"{title} cannot be scored: {said}")
        return _read(Path(folder), title, sets)


def _read(folder: Path, title: str, sets: list[Images]) -> Scored:
    told = json.loads((folder / "scored.json").read_text())
    classes = tuple(map(str, told["classes"]))
    runs = []
    for number, images in enumerate(sets):
        logits, probabilities = (
            np.load(folder / f"{name}-{number}.npy", allow_pickle=False) for name in ("logits", "probabilities")
        )
        if logits.shape != (len(images.paths), len(classes)) or probabilities.shape != logits.shape:
            raise Unscored(f"{title} answers other images than it was asked about: it is refused")
        if (logits.argmax(axis=1) != probabilities.argmax(axis=1)).any():
            raise Unscored(f"{title} has probabilities that contradict its logits: export it again")
        runs.append(Run(Answers(classes, probabilities), logits))
    return Scored(
        tuple(runs), str(told["weights_sha256"]), int(told["onnx_bytes"]), float(told["milliseconds"]),
        dict(told["machine"]),
    )  # fmt: skip


def predictions_of(images: Images, answers: Answers) -> Predictions:
    """The answers as evaluate would keep them, with the logarithms of probabilities as logits.

    Images of a class that the model does not know are left out.
    """
    index = {name: position for position, name in enumerate(answers.classes)}
    rows = [row for row, label in enumerate(images.items.labels) if label in index]
    return Predictions(
        classes=list(answers.classes),
        paths=[images.items.items[row] for row in rows],
        sha256=[images.sha256[row] for row in rows],
        labels=np.array([index[images.items.labels[row]] for row in rows], dtype=np.int64),
        logits=np.log(np.maximum(answers.probabilities[rows], np.finfo(np.float64).tiny)),
    )


def numbers_of(images: Images, answers: Answers) -> dict[str, float]:
    """The metrics that evaluate tells, computed from the ONNX file's answers, keyed `split.name`."""
    found = predictions_of(images, answers)
    if not len(found.labels):
        return {}
    probabilities = softmax(found.logits)
    confusion = confusion_matrix(found.labels, probabilities.argmax(axis=1), len(found.classes))
    hits, scored = int(confusion.trace()), len(found.labels)
    low, high = wilson_interval(hits, scored)
    present = confusion.sum(axis=0) + confusion.sum(axis=1) > 0
    numbers = {
        "accuracy": hits / scored, "accuracy_low": low, "accuracy_high": high,
        "macro_f1": float(precision_recall_f1(confusion)[2][present].mean()),
        "nll": negative_log_likelihood(probabilities, found.labels),
        "brier": brier_score(probabilities, found.labels), "ece": calibration(probabilities, found.labels)[0],
    }  # fmt: skip
    return {f"{images.items.name}.{name}": value for name, value in numbers.items()}
