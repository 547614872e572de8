"""10,000 runs with all that a `dvc repro` of 25 epochs leaves: what reading them takes, and their room after gc.

`python tests/benchmarks/whole_runs.py --runs 10000` prints a Markdown table. Predictions and pictures are left out,
as they grow with the images and not with the run. Digests and numbers are drawn anew for each run.
"""

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

from runhive.tracking.ledger.ledger import Ledger, open_ledger
from runhive.tracking.ledger.pack import pack
from runhive.tracking.ledger.run import Event
from runhive.tracking.life import usage
from runhive.tracking.life.samples import join_samples

MEMORY = Path("/dev/shm")
EPOCHS = 25
CLASSES = ["ants", "bees"]
STAGES = ("fetch", "train", "evaluate", "export")
DEPS = 60  # of all stages in dvc.lock
SAMPLES = 90  # five seconds apart: an epoch takes 18
PACKAGES = "".join(f"package-{number}=={number % 7}.{number % 13}.0\n" for number in range(180)).encode()
OUTS = ("models/model.safetensors", "models/model.onnx", "models/model.json", "models/history.csv",
        "data/manifest.csv", "results/predictions.csv", "results/evaluation.json", "results/parity.json")  # fmt: skip
READ = "import runhive; print(len(runhive.history()))"


class WholeRun:
    """The two appends of one run: when it starts, and when it is recorded."""

    def __init__(self, number: int) -> None:
        self.chance = random.Random(number)
        self.start = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=15 * number)
        self.run_id = f"{self.start:%Y%m%d-%H%M%S}-{number:06x}"
        self.weights = self.hex(64)
        rate = self.chance.choice([0.1, 0.01, 0.001])
        self.params = {
            "experiment": "hymenoptera",
            "data": {"source": "folder", "url": "data.zip", "sha256": "ab" * 32},
            "model": {"name": "bees", "arch": "resnet18", "weights": "imagenet", "size": 224, "resize": 256},
            "train": {"epochs": EPOCHS, "batch_size": 32, "lr": rate, "seed": number, "mode": "finetune"},
        }

    def hex(self, digits: int) -> str:
        return f"{self.chance.getrandbits(4 * digits):0{digits}x}"

    def time(self, seconds: float) -> str:
        return (self.start + timedelta(seconds=seconds)).isoformat(timespec="milliseconds")

    def opening(self) -> tuple[list[Event], dict[str, bytes]]:
        names = ("dvc", "numpy", "onnx", "onnxruntime", "pandas", "pillow", "torch", "torchvision")
        environment = {"host": "vm", "cpu": "AMD EPYC", "cores": 2, "gpu": None, "python": "3.11.7", "threads": 2}
        started = {
            "experiment": "hymenoptera", "params": self.params, "input_digest": self.hex(64), "nodes": 1,
            "requirements_digest": "cd" * 32, "launcher": {"command": "dvc repro"}, "parent": None,
            "code": {"commit": self.hex(40), "tree": self.hex(40), "branch": "main", "dirty": False, "changed": []},
            "data": {"digest": "ef" * 32, "classes": CLASSES, "counts": {"train": {"ants": 123, "bees": 121}}},
            "environment": environment | {"packages": dict.fromkeys(names, "3.1.4")},
        }  # fmt: skip
        return [Event("started", started, self.time(0))], {"packages.txt": PACKAGES}

    def ending(self) -> tuple[list[Event], dict[str, bytes]]:
        numbers = {name: self.chance.random() for name in
                   ("accuracy", "accuracy_low", "accuracy_high", "macro_f1", "nll", "brier", "ece")}  # fmt: skip
        evaluation: dict[str, Any] = {
            **numbers, "classes": CLASSES, "metrics_version": 1, "weights_sha256": self.weights,
            "confusion": [[self.chance.randrange(99) for _ in CLASSES] for _ in CLASSES],
            "evaluation_set": {"name": "val", "digest": "12" * 32, "images": 153},
            "per_class": [{"label": name, "images": 80, **{score: self.chance.random() for score in
                           ("precision", "recall", "f1", "average_precision")}} for name in CLASSES],
        }  # fmt: skip
        parity = {"onnx_sha256": self.hex(64), "onnx_bytes": 44722759, "relative_difference": self.chance.random(),
                  "onnx_milliseconds": self.chance.random(), "torch_milliseconds": self.chance.random()}  # fmt: skip
        outs = {path: {"bytes": self.chance.randrange(10**6), "md5": self.hex(32), "sha256": self.hex(64),
                       "kind": "file", "ledger": None} for path in OUTS}  # fmt: skip
        log = {"log.txt": {"bytes": 2000, "md5": self.hex(32), "sha256": self.hex(64), "kind": "log", "ledger": None}}
        trained = {"weights_sha256": self.weights, "record_md5": self.hex(32), "epochs": EPOCHS,
                   "images_per_second": self.chance.random(), "seconds": 450.0, "parameters": 11181642}  # fmt: skip
        exported = {"metrics": {"export.onnx_bytes": 44722759.0, "export.top1_agreement": 1.0}, "parity": parity}
        compared = {"baseline": None, "comparable": False, "lost": 0, "won": 0, "p": 1.0, "reason": "no earlier run"}
        scored = {"metrics": {f"val.{name}": value for name, value in numbers.items()}, "evaluation": evaluation}
        told = [
            ("prepared", {"attempt": 1}),
            *(("used", {"phase": stage, "attempt": 1, "cpu_seconds": self.chance.random()}) for stage in STAGES[1:]),
            ("filed", {"files": log}), ("fetched", {"source": "folder", "digest": "ef" * 32, "bytes": 251580}),
            ("trained", trained), ("evaluated", scored), ("exported", exported), ("compared", compared),
            ("filed", {"files": outs}), ("recorded", {}),
            ("finished", {"state": "completed", "attempt": 1, "outcome_digest": self.hex(64)}),
        ]  # fmt: skip
        events = [
            Event(type, data, self.time(500 + place), self.chance.random() * 99, began=self.time(place))
            for place, (type, data) in enumerate(told)
        ]
        return events, self.files()

    def files(self) -> dict[str, bytes]:
        row, chance = "{},0.002,{:.7g},{:.7g},{:.7g},{:.7g},{:.3f}\n".format, self.chance.random
        history = "epoch,lr,train_loss,train_accuracy,check_loss,check_accuracy,seconds\n"
        history += "".join(row(epoch, *(chance() for _ in range(5))) for epoch in range(EPOCHS))
        samples = ",".join(usage.COLUMNS) + "\n"
        samples += "".join(
            f"{self.time(5 * n)},train,{100 * chance():.1f},{self.chance.randrange(10**9)},{99 * chance():.1f},"
            f"{10**8 + n},{n * 10**6},{7 * 10**10 + self.chance.randrange(10**9)},,\n"
            for n in range(SAMPLES)
        )
        system = join_samples(None, samples.encode()).decode()
        log = "== train ==\n" + "".join(
            f"epoch {epoch}/{EPOCHS}  loss {chance():.4f}  accuracy {chance():.3f}  {99 * chance():.0f} images/s\n"
            for epoch in range(EPOCHS)
        )
        lock = "schema: '2.0'\nstages:\n" + "".join(
            f"  {stage}:\n    cmd: python pipeline {stage}\n" for stage in STAGES
        )
        lock += "".join(
            f"    - path: pipeline/runhive/{n}.py\n      md5: {n:032x}\n      size: {n}\n" for n in range(DEPS)
        )
        lock += "".join(f"    - path: {path}\n      md5: {self.hex(32)}\n      size: 637\n" for path in OUTS)
        params = "".join(f"{name}: {value}\n" for name, value in self.params.items())
        texts = {"history.csv": history, "system.csv": system, "log.txt": log, "dvc.lock": lock, "params.yaml": params}
        return {name: text.encode() for name, text in texts.items()}


def grow(folder: Path, runs: int) -> Ledger:
    """A repository with *runs* runs, written in memory, packed and brought to *folder*."""
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.exists() else None) as memory:
        grown = Path(memory) / "grown"
        subprocess.run(["git", "init", "--quiet", grown], check=True)
        ledger = open_ledger(grown)
        for number in range(runs):
            run = WholeRun(number)
            ledger.append(run.run_id, *run.opening())
            ledger.append(run.run_id, *run.ending())
            if number % 1000 == 999:
                print(f"{number + 1} runs", file=sys.stderr, flush=True)
        pack(ledger.repository)
        shutil.copytree(grown, folder)
    return open_ledger(folder)


def cost(act: Callable[[], object], rounds: int, before: Callable[[], object] = lambda: None) -> tuple[str, str]:
    """The median seconds of the clock, and of the processor, that *act* and the processes that it starts take."""
    wall, cpu = [], []
    for _ in range(rounds):
        before()
        began, times = time.perf_counter(), sum(os.times()[:4])
        act()
        wall.append(time.perf_counter() - began)
        cpu.append(sum(os.times()[:4]) - times)
    return f"{median(wall):.2f} s", f"{median(cpu):.2f} s"


def report(folder: Path, runs: int, rounds: int) -> str:
    """The table for *runs* runs."""
    ledger = grow(folder, runs)
    index = folder / ".git" / "runhive" / "index"

    def forget() -> None:
        shutil.rmtree(index, ignore_errors=True)

    def command(*words: str) -> Callable[[], object]:
        return lambda: subprocess.run([sys.executable, *words], cwd=folder, check=True, stdout=subprocess.DEVNULL)

    listed = command("-m", "runhive", "runs", "list")
    ledger.table()  # so that no first reading pays for the import of pandas
    rows = {
        "to a DataFrame, without the index": cost(ledger.table, rounds, forget),
        "to a DataFrame, with the index": cost(ledger.table, rounds),
        "`runhive runs list`, start of the process included": cost(listed, rounds),
        "the same without the index": cost(listed, rounds, forget),
        "`runhive.history()` in a new process": cost(command("-c", READ), rounds),
    }
    print(f"load {os.getloadavg()[0]:.1f}", file=sys.stderr)
    lines = [f"| {runs:,} whole runs | clock | processor |", "|---|---|---|"]
    lines += [f"| {what} | {wall} | {cpu} |" for what, (wall, cpu) in rows.items()]
    size = pack(ledger.repository).bytes
    return "\n".join([*lines, f"| room on the disk after `runhive runs gc` | {size / runs / 1000:.1f} KB a run | |"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--disk", type=Path, default=Path(tempfile.gettempdir()), help="a folder on the disk")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.disk) as folder:
        print(report(Path(folder) / "whole", options.runs, options.rounds))


if __name__ == "__main__":
    main()
