"""A ledger for the run table: seeds to average over, two evaluation sets, tags, names, an archived run, formulas."""

import random
from pathlib import Path
from typing import Any

import pygit2

from runhive.tracking.ledger.ledger import Ledger, open_ledger
from runhive.tracking.ledger.run import Event

SETS = {"old": "0f" * 32, "new": "a1" * 32}
FORMULAS = ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", '\t"quoted", text']


def run_id(number: int) -> str:
    return f"20261101-{number // 60:04d}{number % 60:02d}-{number:06x}"


def time(number: int, second: int = 0) -> str:
    return f"2026-11-01T{number // 60:02d}:{number % 60:02d}:{second:02d}.000+00:00"


def scored(accuracy: float, digest: str, images: int) -> dict[str, Any]:
    evaluation = {
        "evaluation_set": {"name": "val", "digest": digest, "images": images},
        "metrics_version": 1,
        "selected_on_these_images": False,
    }
    metrics = {"val.accuracy": accuracy, "val.accuracy_low": accuracy - 0.02, "val.accuracy_high": accuracy + 0.02}
    return {"metrics": metrics | {"val.nll": 1 - accuracy}, "evaluation": evaluation}


def add(ledger: Ledger, number: int, params: dict[str, Any], *events: Event, **started: Any) -> None:
    begun = Event("started", {"experiment": "ants", "params": params, **started}, time=time(number))
    ledger.append(run_id(number), [begun, *events])


def make_ledger(root: Path) -> Ledger:
    """Runs 0 to 89 are five seeds of eighteen settings, the last setting on another set; then the odd ones."""
    pygit2.init_repository(str(root))
    ledger = open_ledger(root)
    rng = random.Random(7)
    done = {"state": "completed", "attempt": 1}
    for number in range(90):
        setting, seed = divmod(number, 5)
        params = {
            "train": {"lr": [0.1, 0.01, 0.001][setting % 3], "seed": seed, "width": setting},
            "model": {"arch": "resnet18"},
        }
        digest = SETS["old" if setting == 17 or number == 0 else "new"]
        evaluated = Event("evaluated", scored(round(rng.uniform(0.6, 0.99), 4), digest, 153), time=time(number, 30))
        add(ledger, number, params, evaluated, Event("finished", done, time=time(number, 40)))
    broken = Event("finished", {"state": "failed", "attempt": 1, "cause": "CUDA out of memory"}, time=time(90, 1))
    add(ledger, 90, {"train": {"lr": 0.1}}, broken, tags=["best", "paper"], name="wide crops")
    add(
        ledger,
        91,
        {},
        Event("finished", done, time=time(91, 5)),
        Event("archived", {"archived": True}),
        name="put away",
    )
    for number, formula in enumerate(FORMULAS, 92):
        add(ledger, number, {"note": formula, "shift": -number}, name=formula, tags=["formula"])
    return ledger
