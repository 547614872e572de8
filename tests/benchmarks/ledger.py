"""The same runs logged to Runhive's ledger, MLflow's file store and SQLite store, and DVCLive: time and room.

`python tests/benchmarks/ledger.py --runs 1000` prints a Markdown table. Each run has 18 parameters, 7 final metrics and
4 metrics in each of 25 epochs. A store gets it in two steps, at the run's start and at its end, the way that suits it
best: MLflow in one batch each, DVCLive from one `Live` object. Of the first and the last `--appends` runs the time is
told. MLflow and DVCLive come with requirements-benchmark.lock, of which it needs neither torch nor CUDA.
"""

import argparse
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from harness import script

EPOCHS = 25
CURVES = ("train_loss", "val_loss", "val_accuracy", "lr")
SCORES = ("accuracy", "accuracy_low", "accuracy_high", "macro_f1", "nll", "brier", "ece")


@dataclass(frozen=True)
class Case:
    """One run's content."""

    number: int
    params: dict[str, Any]
    curves: list[dict[str, float]]
    scores: dict[str, float]


class Store(Protocol):
    """What is measured."""

    name: str

    def log(self, case: Case) -> None: ...
    def read(self) -> int: ...
    def bytes(self) -> int: ...


def make_case(number: int) -> Case:
    chance = random.Random(number)
    train = {"lr": chance.choice([0.1, 0.01, 0.001]), "batch_size": 32, "seed": number, "epochs": EPOCHS}
    params = {f"train.option_{i}": chance.choice(["a", "b", "c"]) for i in range(13)}
    curves = [{name: chance.random() for name in CURVES} for _ in range(EPOCHS)]
    return Case(
        number, params | {f"train.{k}": v for k, v in train.items()} | {"model.arch": "resnet18"},
        curves, {name: chance.random() for name in SCORES},
    )  # fmt: skip


class Ledger:
    """Runhive: two appends, each durable when it returns, and the curves as history.csv."""

    name = "Runhive ledger"

    def __init__(self, folder: Path) -> None:
        from runhive.tracking.ledger.ledger import open_ledger

        subprocess.run(["git", "init", "--quiet", folder], check=True)
        self.folder, self.open = folder, open_ledger
        self.ledger = open_ledger(folder)

    def log(self, case: Case) -> None:
        for step in self.steps(case):
            self.ledger.append(*step)

    def steps(self, case: Case) -> list[tuple[str, list[Any], dict[str, bytes]]]:
        """Return run id, events and files of each append."""
        from runhive.tracking.ledger.run import Event

        start = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=15 * case.number)
        run_id = f"{start:%Y%m%d-%H%M%S}-{case.number:06x}"
        params: dict[str, Any] = {}
        for name, value in case.params.items():
            section, _, key = name.partition(".")
            params.setdefault(section, {})[key] = value
        lines = [",".join(["epoch", *CURVES])]
        lines += [f"{epoch},{','.join(f'{row[name]:.6f}' for name in CURVES)}" for epoch, row in enumerate(case.curves)]
        metrics = {f"val.{name}": value for name, value in case.scores.items()}
        ending = [
            Event("evaluated", {"metrics": metrics, "evaluation": {}}),
            Event("finished", {"state": "completed", "attempt": 1}),
        ]
        return [
            (run_id, [Event("started", {"experiment": "bench", "params": params})], {}),
            (run_id, ending, {"history.csv": "\n".join(lines).encode()}),
        ]

    def read(self) -> int:
        return len(self.open(self.folder).table())

    def forget(self) -> None:
        shutil.rmtree(self.folder / ".git" / "runhive" / "index", ignore_errors=True)

    def bytes(self) -> int:
        from runhive.tracking.ledger.pack import pack

        return pack(self.ledger.repository).bytes


class MLflow:
    """MLflow: create, one batch of parameters, one batch of metrics, terminate."""

    def __init__(self, name: str, uri: str, folder: Path) -> None:
        os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")
        from mlflow import MlflowClient

        self.name, self.uri, self.folder = name, uri, folder
        folder.mkdir()
        self.client = MlflowClient(uri)
        self.experiment = self.client.create_experiment("bench", artifact_location=(folder / "artifacts").as_uri())

    def log(self, case: Case) -> None:
        from mlflow.entities import Metric, Param

        run_id = self.client.create_run(self.experiment).info.run_id
        self.client.log_batch(run_id, params=[Param(name, str(value)) for name, value in case.params.items()])
        now = int(time.time() * 1000)
        metrics = [Metric(name, row[name], now, epoch) for epoch, row in enumerate(case.curves) for name in CURVES]
        metrics += [Metric(f"val.{name}", value, now, 0) for name, value in case.scores.items()]
        self.client.log_batch(run_id, metrics=metrics)
        self.client.set_terminated(run_id)

    def read(self) -> int:
        import mlflow

        mlflow.set_tracking_uri(self.uri)
        return len(mlflow.search_runs([self.experiment], max_results=50_000))

    def bytes(self) -> int:
        return on_disk(self.folder)


class DVCLive:
    """DVCLive: a folder for each run, without its Git commits; read by parsing the files, as there is no reader."""

    name = "DVCLive folders"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()

    def log(self, case: Case) -> None:
        from dvclive import Live

        with Live(str(self.folder / str(case.number)), save_dvc_exp=False, dvcyaml=None, report=None) as live:
            live.log_params(case.params)
            for row in case.curves:
                for name, value in row.items():
                    live.log_metric(name, value)
                live.next_step()
            for name, value in case.scores.items():
                live.log_metric(f"val/{name}", value, plot=False)

    def read(self) -> int:
        import pandas as pd
        from ruamel.yaml import YAML

        yaml = YAML(typ="safe")
        rows = []
        for folder in self.folder.iterdir():
            rows.append(yaml.load(folder / "params.yaml") | json.loads((folder / "metrics.json").read_text()))
        return len(pd.json_normalize(rows))

    def bytes(self) -> int:
        return on_disk(self.folder)


def on_disk(folder: Path) -> int:
    """Blocks in use, as `du` counts them."""
    return sum(path.stat().st_blocks * 512 for path in folder.rglob("*"))


@contextmanager
def timed(into: list[float]) -> Iterator[None]:
    start = time.perf_counter()
    yield
    into.append(time.perf_counter() - start)


def once(act: Callable[[], object]) -> float:
    taken: list[float] = []
    with timed(taken):
        act()
    return taken[0]


def logged(store: Store, runs: int, appends: int) -> dict[str, str]:
    """Log *runs* runs, then read them; *appends* of the first and the last are timed."""
    taken: list[float] = []
    for number in range(runs):
        case = make_case(number)
        with timed(taken):
            store.log(case)
        if number % 500 == 499:
            print(f"{store.name}: {number + 1} runs", file=sys.stderr, flush=True)
    if isinstance(store, Ledger):
        store.forget()
    cold = once(store.read)
    warm = min(once(store.read) for _ in range(3))
    size = store.bytes()
    return {
        "store": store.name,
        f"ms a run, first {appends}": f"{1000 * statistics.median(taken[:appends]):.1f}",
        f"ms a run, last {appends}": f"{1000 * statistics.median(taken[-appends:]):.1f}",
        "s to a DataFrame": f"{cold:.2f}",
        "again": f"{warm:.2f}",
        "KB a run": f"{size / runs / 1000:.1f}",
    }


def measure(scratch: Path, data: str | None, rounds: int) -> None:
    """The tables of docs/explanation/ledger.md, one after the other; each script has options of its own."""
    disk = ["--disk", scratch]
    scripts = {"ledger": ["--runs", 400], "whole_runs": disk, "appends": disk, "flushes": disk, "logging_overhead": []}
    for name, words in scripts.items():
        subprocess.run(script(name, *words), check=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--appends", type=int, default=100)
    parser.add_argument("--only", choices=["ledger", "file", "sqlite", "dvclive"], action="append")
    options = parser.parse_args()
    import pandas  # noqa: F401  # so that no store's reading pays for the import

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        makers: dict[str, Callable[[], Store]] = {
            "ledger": lambda: Ledger(folder / "ledger"),
            "file": lambda: MLflow("MLflow file store", (folder / "files").as_uri(), folder / "files"),
            "sqlite": lambda: MLflow("MLflow SQLite", f"sqlite:///{folder}/sqlite/m.db", folder / "sqlite"),
            "dvclive": lambda: DVCLive(folder / "dvclive"),
        }
        rows = [logged(make(), options.runs, options.appends) for key, make in makers.items()
                if not options.only or key in options.only]  # fmt: skip
    print("| " + " | ".join(rows[0]) + " |", "|---" * len(rows[0]) + "|", sep="\n")
    for row in rows:
        print("| " + " | ".join(row.values()) + " |")


if __name__ == "__main__":
    main()
