"""Runs whose every string is an attack, and runs whose every part is missing or of the wrong kind."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pygit2
from sample_ledger import Task, draw_insect, evaluate, parity

from runhive import metrics
from runhive.formats.predictions import Predictions, to_csv
from runhive.tracking.ledger.ledger import Ledger, open_ledger
from runhive.tracking.ledger.run import Event

PAYLOADS = [
    "<script>window.pwned=1</script>",
    "</code></pre></title></script><script>window.pwned=2</script>",
    '"><img src=x onerror=window.pwned=3>',
    "' onmouseover='window.pwned=4' autofocus onfocus='window.pwned=5' x='",
    "javascript:window.pwned=6",
    "</svg><svg onload=window.pwned=7><animate onbegin=window.pwned=8 attributeName=x dur=1s>",
    "{{ 7*7 }}{% for x in ().__class__.__base__.__subclasses__() %}{{ x }}{% endfor %}",
    "RUNHIVE-RUN <div id='runhive-run'></div>",
    "\u202egnp.exe\u2066\u200b\x00\x1b[31m\x85\u2028",
    "W" * 5000,
    "a\u0301" * 400 + "\U0001f41d",
]


def attacked(value: Any, payload: str) -> Any:
    """*value* with *payload* in every key and every string."""
    match value:
        case dict():
            return {
                f"{key}{payload}" if index % 2 else key: attacked(one, payload)
                for index, (key, one) in enumerate(value.items())
            }
        case list():
            return [attacked(one, payload) for one in value]
        case str():
            return payload
    return value


def run_id(number: int) -> str:
    return f"20261101-{number:06d}-abcdef"


def attack(ledger: Ledger, number: int, payload: str, baseline: str | None) -> None:
    """One completed run with *payload* wherever a string may stand."""
    classes = [payload, f"{payload} second"]
    pictures = [draw_insect("ants", number), draw_insect("bees", number)] * 3
    task = Task(payload, classes, pictures, [0, 1, 0, 1, 0, 1], True)
    digests = [hashlib.sha256(f"{i}".encode()).hexdigest() for i in range(4)] + [payload, "../../../etc/passwd"]
    paths = [f"{payload}{i}" for i in range(6)]
    logits = np.random.default_rng(number).normal(0, 1, (6, 2))
    predictions = Predictions(classes, paths, digests, np.array(task.labels), logits)
    evaluation = evaluate(task, predictions).model_dump(mode="json") | {"weights_sha256": payload}
    evaluation["evaluation_set"]["name"] = payload
    evaluation["evaluation_set"]["digest"] = payload
    params: dict[str, Any] = {
        payload: payload,
        "train": {"lr": payload, "epochs": [payload], payload: {payload: payload}},
    }
    params |= {"model": {"arch": payload}, "deep": _nested(60), "list": [[payload]] * 70}
    started = {
        "experiment": payload,
        "input_digest": payload,
        "params": params,
        "code": {"commit": payload, "tree": payload, "branch": payload, "dirty": True, "changed": [payload] * 60},
        "data": {"digest": payload, "classes": classes, "counts": {payload: {payload: 3}}, "left_out": 2},
        "environment": {payload: payload, "cpu": payload, "packages": {payload: payload, "torch": payload}},
    }
    trained = {"weights_sha256": payload, "epochs": 3, "selection": {"rule": payload, "epoch": 2}, "parameters": 3}
    measured = {f"{payload}.accuracy": 0.5, f"{payload}.{payload}": 0.1, "val.accuracy": 0.5}
    compared = {"baseline": baseline or payload, "reason": payload, "comparable": True, "won": 1, "lost": 0, "p": 1.0}
    exported = parity(number).model_dump(mode="json") | {"onnx_sha256": payload}
    for one in exported["variants"]:
        one |= {"name": payload, "reason": payload, "flips": [{"path": payload, "torch": payload, "onnx": payload}]}
    events = [
        Event("started", started),
        Event("trained", trained, seconds=3.0),
        Event("evaluated", {"metrics": measured, "evaluation": evaluation}, seconds=1e8),
        Event("exported", {"metrics": {}, "parity": exported}, seconds=0.0),
        Event("compared", compared),
        Event("finished", {"state": "failed", "cause": payload, "attempt": 1}),
    ]
    files = {"predictions.csv": to_csv(predictions), "history.csv": payload.encode(), "odd-name.txt": b""}
    ledger.append(run_id(number), events, files)


def _nested(depth: int) -> dict[str, Any]:
    return {"k": _nested(depth - 1)} if depth else {}


ODD: dict[str, list[Event]] = {
    "nothing at all": [],
    "only a start": [Event("started", {})],
    "parts of the wrong kind": [
        Event(
            "started", {"code": {"commit": 5, "changed": "x"}, "data": {"counts": []}, "environment": {"packages": 3}}
        ),
        Event("trained", {"selection": [], "parameters": -1}),
        Event("evaluated", {"metrics": {"val.accuracy": 1e308, "val.nll": -1e308}, "evaluation": {"accuracy": "x"}}),
        Event("exported", {"metrics": {}, "parity": {"opset": None}}),
        Event("compared", {"won": -3, "comparable": "perhaps"}),
        Event("finished", {"state": "completed"}),
    ],
    "huge numbers": [
        Event("started", {"data": {"left_out": 10**300}, "params": {"seed": 10**300, "lr": 1e-320}}),
        Event("trained", {"parameters": 10**300, "selection": {"epoch": 10**300}}, seconds=1e300),
        Event("evaluated", {"metrics": {"val.accuracy": 10.0**300}, "evaluation": {}}, seconds=1e-320),
        Event("finished", {"state": "completed"}),
    ],
    "a table of numbers, no images": [
        Event("started", {"experiment": "house-prices", "params": {"depth": 3}, "data": {"digest": "ab" * 32}}),
        Event(
            "evaluated", {"metrics": {"val.rmse": 21.5, "val.rmse_low": 20.1, "val.rmse_high": 23.0}, "evaluation": {}}
        ),
        Event("finished", {"state": "completed"}),
    ],
    "a command of its own": [
        Event(
            "started",
            {
                "name": PAYLOADS[0],
                "tags": [PAYLOADS[0][:100]],
                "command": ["sh", "-c", PAYLOADS[0]],
                "code": {"commit": "0" * 40},
            },
        ),
        Event("ran", {"exit_code": 0}, seconds=1.0),
        Event("finished", {"state": "completed"}),
    ],
    "a clock at the end of time": [Event("started", {}, time="9999-12-31T23:59:59+00:00")],
    "an unknown event": [Event("started", {}), Event("unheard-of", {"text": PAYLOADS[0]})],
}


def many_classes(ledger: Ledger, number: int) -> None:
    """Three hundred classes, each mistaken for the next once in a while."""
    labels = np.repeat(np.arange(300), 10)
    rng = np.random.default_rng(0)
    predicted = np.where(rng.random(3000) < 0.1, (labels + 1) % 300, labels)
    confusion = metrics.confusion_matrix(labels, predicted, 300)
    names = [f"class {i:03d}" for i in range(300)]
    score = {"precision": 0.9, "recall": 0.9, "f1": 0.9, "roc_auc": None, "average_precision": None, "images": 10}
    low, high = metrics.wilson_interval(2700, 3000)
    evaluation = {
        "schema_version": 1,
        "metrics_version": 1,
        "evaluation_set": {"name": "val", "digest": "cd" * 32, "images": 3000},
        "selected_on_these_images": False,
        "weights_sha256": "ef" * 32,
        "classes": names,
        "accuracy": 0.9,
        "accuracy_low": low,
        "accuracy_high": high,
        "macro_f1": 0.9,
        "nll": 0.3,
        "brier": 0.1,
        "ece": 0.05,
        "per_class": [{"label": name, **score} for name in names],
        "confusion": confusion.tolist(),
    }
    evaluated = {
        "metrics": {"val.accuracy": 0.9, "val.accuracy_low": low, "val.accuracy_high": high},
        "evaluation": evaluation,
    }
    events = [
        Event("started", {"experiment": "many"}),
        Event("evaluated", evaluated),
        Event("finished", {"state": "completed"}),
    ]
    ledger.append(run_id(number), events, {"history.csv": b"\xff\xfe", "predictions.csv": b"path,sha256\n1"})


def make_ledger(root: Path) -> Ledger:
    """A repository at *root*: attacks are runs 100 and up, odd ones 200 and up, the three hundred classes run 300."""
    pygit2.init_repository(str(root))
    ledger = open_ledger(root)
    for index, payload in enumerate(PAYLOADS):
        attack(ledger, 100 + index, payload, run_id(99 + index) if index % 2 else None)
    for index, events in enumerate(ODD.values()):
        if events:
            ledger.append(run_id(200 + index), events, {"history.csv": b"epoch,lr\n", "predictions.csv": b""})
    many_classes(ledger, 300)
    return ledger
