"""A small ledger that looks like real work: two experiments, runs that ended in every way, drawn pictures."""

import hashlib
import io
import math
import random
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pygit2
from PIL import Image, ImageDraw, ImageFilter

from runhive import metrics
from runhive.formats.data_report import DataReport, Distribution, Duplicates, LeftOut
from runhive.formats.evaluation import ClassScore, Evaluation, EvaluationSet
from runhive.formats.history import Epoch
from runhive.formats.manifest import Image as ManifestImage
from runhive.formats.manifest import content_digest, write_manifest
from runhive.formats.parity import Flip, Parity, Variant
from runhive.formats.predictions import Predictions, to_csv
from runhive.tracking.ledger.ledger import Ledger, open_ledger
from runhive.tracking.ledger.run import Event
from runhive.tracking.storage.artifacts import describe

TRACEBACK = 'Traceback (most recent call last):\n  File "train.py", line 7, in <module>\n    fit()\n'
TABLE = b"size,images,accuracy\n" + b"".join(b"%d,%d,0.9\n" % (16 * number, number) for number in range(1, 31))
PATCH = b"""diff --git a/params.yaml b/params.yaml
--- a/params.yaml
+++ b/params.yaml
@@ -1,3 +1,3 @@
 train:
-  lr: 0.001
+  lr: 0.01  # <b>bold</b>
"""
HEADER = "epoch,lr,train_loss,train_accuracy,check_loss,check_accuracy,seconds\n"


def digest(*parts: object) -> str:
    return hashlib.sha256("/".join(map(str, parts)).encode()).hexdigest()


@dataclass(frozen=True)
class Task:
    """A data set: thumbnails as drawn, the SHA-256 of what each would show, and a label for each."""

    experiment: str
    classes: list[str]
    pictures: list[bytes]
    labels: list[int]
    selected: bool

    @property
    def sha256(self) -> list[str]:
        return [digest("source", hashlib.sha256(picture).hexdigest()) for picture in self.pictures]

    @property
    def paths(self) -> list[str]:
        return [
            f"val/{self.classes[label]}/{100 + 37 * i:04d}_{self.sha256[i][:10]}.jpg"
            for i, label in enumerate(self.labels)
        ]


def jpeg(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=80)
    return out.getvalue()


def draw_insect(kind: str, seed: int) -> bytes:
    """An ant or a bee on something green, seen from above."""
    rng = random.Random(seed)
    width, height = rng.choice([(240, 180), (200, 200), (180, 240)])
    ground = (rng.randint(120, 200), rng.randint(150, 205), rng.randint(90, 140))
    image = Image.new("RGB", (width, height), ground)
    draw = ImageDraw.Draw(image)
    for _ in range(60):
        x, y, r = rng.randint(0, width), rng.randint(0, height), rng.randint(4, 30)
        shade = tuple(max(0, min(255, c + rng.randint(-35, 35))) for c in ground)
        draw.ellipse((x - r, y - r, x + r, y + r), fill=shade)
    image = image.filter(ImageFilter.GaussianBlur(5))
    insect = Image.new("RGBA", (160, 160), (0, 0, 0, 0))
    pen = ImageDraw.Draw(insect)
    body = (48, 28, 20, 255) if kind == "ants" else (70, 45, 10, 255)
    for side in (-1, 1):
        for leg in (-18, 0, 18):
            pen.line((80, 80 + leg // 2, 80 + side * 38, 80 + leg * 2), fill=body, width=3)
    if kind == "ants":
        for cy, rx, ry in ((46, 12, 12), (76, 10, 16), (114, 16, 24)):
            pen.ellipse((80 - rx, cy - ry, 80 + rx, cy + ry), fill=body)
        pen.line((74, 38, 58, 16), fill=body, width=3)
        pen.line((86, 38, 102, 16), fill=body, width=3)
    else:
        for side in (-1, 1):
            pen.ellipse((80 + side * 34 - 24, 58, 80 + side * 34 + 24, 88), fill=(235, 240, 250, 190))
        pen.ellipse((66, 34, 94, 62), fill=body)
        pen.ellipse((60, 56, 100, 132), fill=(235, 175, 30, 255))
        for stripe in (74, 92, 110):
            pen.rectangle((61, stripe, 99, stripe + 8), fill=body)
    insect = insect.rotate(rng.randint(0, 359), resample=Image.Resampling.BICUBIC)
    image.paste(insect, ((width - 160) // 2, (height - 160) // 2), insect)
    return jpeg(image.filter(ImageFilter.GaussianBlur(0.8)))


SEGMENTS = {
    0: "abcdef",
    1: "bc",
    2: "abged",
    3: "abgcd",
    4: "fgbc",
    5: "afgcd",
    6: "afgedc",
    7: "abc",
    8: "abcdefg",
    9: "abcdfg",
}
LINES = {
    "a": (0, 0, 1, 0),
    "b": (1, 0, 1, 1),
    "c": (1, 1, 1, 2),
    "d": (0, 2, 1, 2),
    "e": (0, 1, 0, 2),
    "f": (0, 0, 0, 1),
    "g": (0, 1, 1, 1),
}


def draw_digit(digit: int, seed: int) -> bytes:
    """A shaky digit in eight by eight grey pixels, enlarged."""
    rng = random.Random(seed)
    image = Image.new("L", (128, 128), 0)
    draw = ImageDraw.Draw(image)
    for segment in SEGMENTS[digit]:
        x0, y0, x1, y1 = LINES[segment]
        shake = [rng.randint(-9, 9) for _ in range(4)]
        draw.line(
            (40 + 48 * x0 + shake[0], 20 + 44 * y0 + shake[1], 40 + 48 * x1 + shake[2], 20 + 44 * y1 + shake[3]),
            fill=255,
            width=14,
        )
    small = image.resize((8, 8), Image.Resampling.BOX)
    return jpeg(small.resize((160, 160), Image.Resampling.NEAREST).convert("RGB"))


def hymenoptera() -> Task:
    classes = ["ants", "bees"]
    labels = [i % 2 for i in range(60)]
    return Task(
        "pytorch-hymenoptera", classes, [draw_insect(classes[y], i) for i, y in enumerate(labels)], labels, True
    )


def digits() -> Task:
    labels = [i % 10 for i in range(200)]
    return Task("digits", [str(i) for i in range(10)], [draw_digit(y, i) for i, y in enumerate(labels)], labels, False)


def predict(task: Task, accuracy: float, seed: int) -> Predictions:
    """Logits whose mistakes are mostly the same from run to run, as with a real model."""
    hard = np.random.default_rng(1).random(len(task.labels))
    rng = np.random.default_rng(seed)
    difficulty = np.clip(hard + rng.normal(0, 0.04, len(hard)), 0, 1)
    wrong = difficulty > np.quantile(difficulty, accuracy)
    logits = rng.normal(0, 0.7, (len(task.labels), len(task.classes)))
    answered = [
        (y + 1 + int(hard[i] * 97) % (len(task.classes) - 1)) % len(task.classes) if wrong[i] else y
        for i, y in enumerate(task.labels)
    ]
    logits[np.arange(len(answered)), answered] += rng.gamma(4, 1, len(answered)) + 1
    return Predictions(task.classes, task.paths, task.sha256, np.array(task.labels), logits)


def evaluate(task: Task, predictions: Predictions) -> Evaluation:
    labels, probabilities = predictions.labels, metrics.softmax(predictions.logits)
    confusion = metrics.confusion_matrix(labels, predictions.logits.argmax(axis=1), len(task.classes))
    precision, recall, f1 = metrics.precision_recall_f1(confusion)
    hits = int(confusion.trace())
    low, high = metrics.wilson_interval(hits, len(labels))
    scores = []
    for i, label in enumerate(task.classes):
        roc = metrics.roc_curve(probabilities[:, i], labels == i)
        pr = metrics.precision_recall_curve(probabilities[:, i], labels == i)
        scores.append(
            ClassScore(
                label=label,
                images=int(confusion[i].sum()),
                precision=float(precision[i]),
                recall=float(recall[i]),
                f1=float(f1[i]),
                roc_auc=roc.area if roc else None,
                average_precision=pr.area if pr else None,
            )
        )
    return Evaluation(
        schema_version=1,
        metrics_version=1,
        evaluation_set=EvaluationSet(name="val", digest=digest(task.experiment, "val"), images=len(labels)),
        selected_on_these_images=task.selected,
        weights_sha256=digest("weights", predictions.logits.sum()),
        classes=task.classes,
        accuracy=hits / len(labels),
        accuracy_low=low,
        accuracy_high=high,
        macro_f1=float(f1.mean()),
        nll=metrics.negative_log_likelihood(probabilities, labels),
        brier=metrics.brier_score(probabilities, labels),
        ece=metrics.calibration(probabilities, labels)[0],
        per_class=scores,
        confusion=confusion.tolist(),
    )


def learn(epochs: int, accuracy: float, seed: int) -> list[Epoch]:
    rng = random.Random(seed)
    history = []
    for epoch in range(1, epochs + 1):
        done = 1 - math.exp(-4 * epoch / epochs)
        lr = 0.001 * 0.1 ** ((epoch - 1) // 7)
        check = min(1, 0.55 + (accuracy - 0.55) * done + rng.gauss(0, 0.015))
        history.append(
            Epoch(
                epoch,
                lr,
                0.72 - 0.55 * done + rng.gauss(0, 0.02),
                min(0.995, 0.55 + 0.42 * done + rng.gauss(0, 0.01)),
                0.7 - 0.45 * done + rng.gauss(0, 0.025),
                check,
                2.2 + rng.random() / 5,
            )
        )
    return history


def manifest(task: Task, version: int) -> list[ManifestImage]:
    """The images of *task*; in version 2 one is new, one is gone, one is in another split and one in another class."""
    listed = [
        ManifestImage(path, "val", task.classes[label], sha256, 240, 180)
        for path, label, sha256 in zip(task.paths, task.labels, task.sha256, strict=True)
    ]
    for index in range(122 * len(task.classes)):
        label = task.classes[index % len(task.classes)]
        name = f"train/{label}/{index:04d}.jpg"
        listed.append(ManifestImage(name, "train", label, digest(task.experiment, name), 200 + index, 180))
    if version == 2:
        _gone, moved, relabelled, *rest = listed[-40:]
        other = task.classes[1 - task.classes.index(relabelled.label)]
        listed = [
            *listed[:-40],
            *rest,
            replace(moved, split="val", path=moved.path.replace("train", "val")),
            replace(relabelled, label=other, path=f"train/{other}/{relabelled.path.rpartition('/')[2]}"),
            ManifestImage("train/ants/new.jpg", "train", "ants", digest("new"), 600, 400),
        ]
    return sorted(listed, key=lambda image: image.path)


def data_report(task: Task, images: list[ManifestImage]) -> DataReport:
    """The report on *images*, two of which look like others."""
    splits = ("train", "val")
    counts = {split: dict(Counter(image.label for image in images if image.split == split)) for split in splits}
    bins = {split: [0, 1, sum(of_split.values()) - 1] for split, of_split in counts.items()}
    pair = [images[0].path, images[-1].path]
    return DataReport(
        schema_version=2,
        source="https://example.org/images.zip",
        digest=content_digest(images),
        classes=task.classes,
        counts=counts,
        left_out=[LeftOut(path="train/ants/imageNotFound.gif", reason="GIF, not a photo format")] * task.selected,
        bytes=43_210_987,
        duplicates=[
            Duplicates(kind="near", images=pair, splits=["train", "val"], labels=[images[0].label, images[-1].label]),
            Duplicates(kind="bytes", images=[images[1].path, images[2].path], splits=["train"], labels=["ants"]),
        ],
        sizes={
            "shorter_side": Distribution(smallest=52, median=375, largest=1600, edges=[96, 256], counts=bins),
            "aspect_ratio": Distribution(smallest=1, median=1, largest=1, edges=[], counts={s: [9] for s in splits}),
            "file_bytes": Distribution(smallest=900, median=1e5, largest=2e6, edges=[1000, 1e6], counts=bins),
        },
    )


def data_files(images: list[ManifestImage], report: DataReport) -> dict[str, bytes]:
    with TemporaryDirectory() as folder:
        write_manifest(Path(folder, "manifest.csv"), images)
        return {
            "manifest.csv": Path(folder, "manifest.csv").read_bytes(),
            "data_report.json": report.model_dump_json().encode(),
        }


def history_csv(history: list[Epoch]) -> bytes:
    rows = [
        f"{e.epoch},{e.lr},{e.train_loss},{e.train_accuracy},{e.check_loss},{e.check_accuracy},{e.seconds}\n"
        for e in history
    ]
    return (HEADER + "".join(rows)).encode()


def params(task: Task, **train: Any) -> dict[str, Any]:
    insects = len(task.classes) == 2
    learning = {
        "mode": "finetune",
        "epochs": 30,
        "batch_size": 4,
        "lr": 0.001,
        "optimizer": {"name": "sgd", "momentum": 0.9, "weight_decay": 0.0},
        "schedule": {"name": "step", "every": 7, "factor": 0.1},
        "warmup_epochs": 0,
        "augment": {"min_scale": 0.08, "flip": True},
        "views": 4,
        "select": "val" if task.selected else "last",
        "holdout": 0.2,
        "device": "auto",
        "seed": 0,
    }
    return {
        "experiment": task.experiment,
        "data": {
            "source": "archive" if insects else "digits",
            "url": "https://download.pytorch.org/tutorial/hymenoptera_data.zip" if insects else None,
            "on_bad": "skip",
        },
        "model": {
            "name": "pt-dnn" if insects else "digits",
            "arch": "resnet18",
            "weights": "imagenet" if insects else "none",
            "image_size": 224 if insects else 32,
            "resize_size": 256 if insects else 32,
        },
        "train": learning | train,
        "evaluate": {"split": "val"},
        "export": {"opset": 20, "tolerance": 0.0001},
    }


def started(task: Task, parameters: dict[str, Any], dirty: bool = False, version: int = 1) -> dict[str, Any]:
    report = data_report(task, manifest(task, version))
    return {
        "experiment": task.experiment,
        "input_digest": digest(parameters, dirty),
        "params": parameters,
        "code": {
            "commit": digest("commit", task.experiment, parameters["train"]["seed"])[:40],
            "tree": digest("tree")[:40],
            "branch": "main",
            "dirty": dirty,
            "changed": ["params.yaml", "pipeline/runhive/vision/augment.py"] if dirty else [],
        },
        "data": {
            "digest": report.digest,
            "classes": task.classes,
            "counts": report.counts,
            "left_out": len(report.left_out),
        },
        "environment": {
            "python": "3.11.7",
            "platform": "Linux-6.8.0-x86_64-with-glibc2.36",
            "host": "hive-01",
            "cpu": "AMD EPYC 9B14",
            "cores": 16,
            "gpu": "NVIDIA H200" if task.selected else None,
            "device": "cuda" if task.selected else "cpu",
            "threads": 16,
            "memory_format": "channels_last",
            "packages": {
                "dvc": "3.67.1",
                "numpy": "2.4.6",
                "onnx": "1.19.0",
                "onnxruntime": "1.30.0",
                "pillow": "13.0.0",
                "runhive": "0.1.0",
                "safetensors": "0.6.2",
                "torch": "2.11.0",
                "torchvision": "0.26.0",
            },
        },
    }


def parity(seed: int) -> Parity:
    return Parity(
        schema_version=2,
        onnx_sha256=digest("onnx", seed),
        weights_sha256=digest("w", seed),
        opset=20,
        images=60,
        tolerance=1e-4,
        relative_difference=1.9e-6,
        absolute_difference=8.1e-6,
        logit_spread=4.2,
        top1_agreement=1.0,
        torch_bytes=44_783_000,
        onnx_bytes=44_690_112,
        torch_milliseconds=11.42,
        onnx_milliseconds=7.63,
        threads=1,
        onnx_milliseconds_in_32=6.91,
        calibration_images=64,
        variants=[
            variant("fp16", seed, "it answers 2 images otherwise than torch, 3.3%, more than is allowed", 2),
            variant("int8", seed, "", 1),
        ],
    )


def variant(name: str, seed: int, reason: str, flips: int) -> Variant:
    return Variant(
        name=name,
        reason=reason,
        onnx_sha256=digest(name, seed),
        onnx_bytes=11_300_506,
        most_changed=0.02,
        relative_difference=0.18,
        absolute_difference=0.43,
        top1_agreement=1 - flips / 60,
        flips=[Flip(path=f"val/ants/{index:03d}.jpg", torch="ants", onnx="bees") for index in range(flips)],
        milliseconds=2.21,
        milliseconds_in_32=1.94,
    )


@dataclass(frozen=True)
class Plan:
    """One run of the sample; `accuracy` None never got to be evaluated."""

    day: int
    hour: int
    task: Task
    accuracy: float | None
    state: str = "completed"
    cause: str | None = None
    dirty: bool = False
    train: dict[str, Any] | None = None

    @property
    def data_version(self) -> int:
        return 2 if self.task.selected and self.day >= 22 else 1

    @property
    def run_id(self) -> str:
        return f"202611{self.day:02d}-{self.hour:02d}2233-{digest(self.day, self.hour)[:6]}"

    def time(self, minutes: float) -> str:
        return f"2026-11-{self.day:02d}T{self.hour:02d}:{22 + int(minutes):02d}:{int(minutes % 1 * 60):02d}.250+00:00"


def plans() -> list[Plan]:
    insects, numbers = hymenoptera(), digits()
    memory = "OutOfMemoryError: CUDA out of memory. Tried to allocate 1.53 GiB: lower train.batch_size"
    return [
        Plan(18, 9, numbers, 0.9, train={"epochs": 10, "lr": 0.05}),
        Plan(18, 14, insects, 0.85, train={"epochs": 10}),
        Plan(19, 8, insects, 0.9, train={"seed": 1}),
        Plan(19, 15, insects, None, "failed", memory, train={"batch_size": 4096, "seed": 2}),
        Plan(
            20,
            10,
            numbers,
            0.93,
            train={"epochs": 20, "lr": 0.05, "seed": 1, "early_stop": {"patience": 3, "watch": "loss"}},
        ),
        Plan(20, 11, insects, 0.8, train={"lr": 0.1, "seed": 3}),
        Plan(21, 7, numbers, None, "lost", "its process 4711 is gone", train={"epochs": 40, "seed": 2}),
        Plan(
            21,
            16,
            numbers,
            0.96,
            train={"epochs": 40, "lr": 0.05, "optimizer": {"name": "adamw", "weight_decay": 0.01}, "seed": 3},
        ),
        Plan(22, 9, insects, 0.95, dirty=True, train={"mode": "frozen", "epochs": 60, "lr": 0.01, "seed": 4}),
        Plan(
            22,
            13,
            insects,
            None,
            "canceled",
            "stopped by a signal; `dvc repro` goes on from the last epoch",
            train={"seed": 5},
        ),
        Plan(23, 8, numbers, 0.955, train={"epochs": 40, "lr": 0.02, "seed": 6}),
        Plan(23, 12, insects, None, "running", train={"seed": 7}),
    ]


def record(ledger: Ledger, plan: Plan, baseline: tuple[Plan, Predictions] | None) -> Predictions | None:
    """Write one run as the stages would; returns its predictions."""
    task, parameters = plan.task, params(plan.task, **(plan.train or {}))
    epochs, seed = parameters["train"]["epochs"], parameters["train"]["seed"]
    if "early_stop" in parameters["train"]:
        epochs -= 8
    events = [Event("started", started(task, parameters, plan.dirty, plan.data_version), time=plan.time(0))]
    if plan.accuracy is None:
        told = {"state": plan.state, "cause": plan.cause, "attempt": 1}
        files = {"params.yaml": b"experiment: x\n"}
        if plan.state == "failed":
            told |= {"traceback": f"{TRACEBACK}{plan.cause}\n", "exit_code": 1}
            files["log.txt"] = "".join(f"step {number}\n" for number in range(1, 251)).encode()
        ended = [Event("finished", told, time=plan.time(3.4))]
        if plan.state in ("lost", "canceled"):
            files["history.csv"] = history_csv(learn(epochs, 0.9, seed)[:7])
        ledger.append(plan.run_id, events + (ended if plan.state != "running" else []), files)
        return None
    images = manifest(task, plan.data_version)
    report = data_report(task, images)
    predictions, history = predict(task, plan.accuracy, seed), learn(epochs, plan.accuracy, seed)
    evaluation, exported = evaluate(task, predictions), parity(seed)
    best = max(history, key=lambda e: e.check_accuracy).epoch if task.selected else epochs
    trained = {
        "weights_sha256": evaluation.weights_sha256,
        "epochs": epochs,
        "selection": {"rule": parameters["train"]["select"], "epoch": best, "digest": None},
        "images_per_second": 412.7,
        "parameters": 11_177_538,
    }
    events += [
        *(
            Event("used", {"phase": name, "cpu_seconds": 90.5, "peak_memory_bytes": 2_000_000_000}, time=plan.time(2.4))
            for name in ("fetch", "train", "evaluate")
        ),
        Event("fetched", {"source": report.source, "bytes": report.bytes}, time=plan.time(0.2), seconds=3.1),
        Event("trained", trained, time=plan.time(2.5), seconds=sum(e.seconds for e in history)),
        Event(
            "evaluated",
            {
                "metrics": {
                    f"val.{name}": getattr(evaluation, name)
                    for name in ("accuracy", "accuracy_low", "accuracy_high", "macro_f1", "nll", "brier", "ece")
                },
                "evaluation": evaluation.model_dump(mode="json"),
            },
            time=plan.time(2.8),
            seconds=4.2,
        ),
        Event(
            "exported",
            {
                "metrics": {
                    "export.onnx_bytes": exported.onnx_bytes,
                    "export.relative_difference": exported.relative_difference,
                    "export.top1_agreement": 1.0,
                },
                "parity": exported.model_dump(mode="json"),
            },
            time=plan.time(3),
            seconds=9.6,
        ),
        compared(predictions, baseline, plan),
        Event("finished", {"state": "completed", "attempt": 1}, time=plan.time(3.3)),
    ]
    wrong = np.flatnonzero(predictions.logits.argmax(axis=1) != predictions.labels)
    lock = b"schema: '2.0'\nstages:\n  train:\n    cmd: python pipeline train\n"
    files = {
        "history.csv": history_csv(history),
        "predictions.csv": to_csv(predictions),
        "params.yaml": b"experiment: x\n",
        "dvc.lock": lock,
        **data_files(images, report),
    }
    if plan.dirty:
        files |= {"changes.patch": PATCH, "by_size.csv": TABLE}
        described = describe(TABLE, "table", "by_size.csv")
        events += [Event("filed", {"files": {"tables/by_size.csv": described}}, time=plan.time(3.2))]
    ledger.append(plan.run_id, events, files, {task.sha256[i]: task.pictures[i] for i in wrong})
    return predictions


def compared(predictions: Predictions, baseline: tuple[Plan, Predictions] | None, plan: Plan) -> Event:
    if baseline is None:
        return Event(
            "compared",
            {
                "baseline": None,
                "reason": f"no earlier completed run in experiment {plan.task.experiment}",
                "comparable": False,
                "won": 0,
                "lost": 0,
                "p": 1.0,
            },
            time=plan.time(3.2),
        )
    before, other = baseline
    was, now = (p.logits.argmax(axis=1) == p.labels for p in (other, predictions))
    won, lost = int((now & ~was).sum()), int((was & ~now).sum())
    return Event(
        "compared",
        {
            "baseline": before.run_id,
            "reason": "the run before it in this experiment",
            "comparable": True,
            "won": won,
            "lost": lost,
            "p": metrics.mcnemar_p(won, lost),
        },
        time=plan.time(3.2),
    )


def make_ledger(root: Path) -> Ledger:
    """A repository at *root* with the sample's runs."""
    pygit2.init_repository(str(root))
    ledger = open_ledger(root)
    last: dict[str, tuple[Plan, Predictions]] = {}
    for plan in plans():
        predictions = record(ledger, plan, last.get(plan.task.experiment))
        if predictions is not None:
            last[plan.task.experiment] = (plan, predictions)
    return ledger
