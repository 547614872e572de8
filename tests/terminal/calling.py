"""Calls of the command line, and runs to call it on."""

import hashlib
import json
import os
import re
import subprocess
import sys
from contextlib import chdir
from pathlib import Path
from typing import Any

import numpy as np
from click.testing import CliRunner

from runhive.cli import commands
from runhive.errors import RunhiveError
from runhive.formats.predictions import Predictions, to_csv
from runhive.tracking.ledger.ledger import Ledger
from runhive.tracking.ledger.run import Event

ROOT = Path(__file__).parents[2]
FIRST, SECOND, THIRD = (f"2026112{day}-142233-7f3a9c" for day in (1, 2, 3))
STEERING = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]")


def shown(folder: Path, *words: str, **environment: str) -> str:
    """What the command prints, in this process, which saves a second."""
    with chdir(folder):
        done = CliRunner().invoke(commands, words, env=environment, catch_exceptions=False)
    assert (done.exit_code, done.stderr) == (0, "")
    return done.stdout


def as_json(folder: Path, *words: str) -> Any:
    """What the command prints with --json."""
    return json.loads(shown(folder, *words, "--json"))


def refusal(folder: Path, *words: str) -> str:
    """The one line with which the command fails, in this process."""
    with chdir(folder):
        done = CliRunner().invoke(commands, words)
    assert isinstance(done.exception, RunhiveError), done.exception
    assert done.stdout == ""
    assert len(str(done.exception).splitlines()) == 1
    return str(done.exception)


def refused_process(folder: Path, *words: str) -> str:
    """The one line with which the command, a process of its own, fails with exit code 1."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "DVC_"))}
    done = subprocess.run(
        [sys.executable, ROOT / "pipeline", *words], cwd=folder, capture_output=True, text=True, check=False,
        env=environment,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (1, "")
    assert len(done.stderr.splitlines()) == 1
    return done.stderr.removeprefix("runhive: ").rstrip("\n")


def rows(said: str) -> list[list[str]]:
    """The cells of a table, without its header: columns are two spaces or more apart."""
    return [re.split(r"  +", line.strip()) for line in said.splitlines()[1:]]


def answers(right: list[bool]) -> bytes:
    chosen = np.eye(2)[[0 if one else 1 for one in right]]
    digests = [hashlib.sha256(bytes([i])).hexdigest() for i in range(len(right))]
    return to_csv(
        Predictions(["ant", "bee"], [f"{i}.png" for i in range(len(right))], digests, np.zeros(len(right), int), chosen)
    )


def add_run(ledger: Ledger, run_id: str, lr: float, right: list[bool], digest: str = "d", **started: Any) -> None:
    """A completed run that answered as *right* says."""
    share = sum(right) / len(right)
    evaluation = {
        "accuracy": share, "accuracy_low": 0.25, "accuracy_high": 0.875, "metrics_version": 1,
        "selected_on_these_images": True, "evaluation_set": {"name": "val", "digest": digest, "images": len(right)},
    }  # fmt: skip
    numbers = {"val.accuracy": share, "val.accuracy_low": 0.25, "val.accuracy_high": 0.875, "val.ece": 0.0123456}
    exported = {"export.onnx_bytes": 2.5e6, "export.relative_difference": 3e-7}
    time = f"{run_id[:4]}-{run_id[4:6]}-{run_id[6:8]}T14:22:33.000+00:00"
    described = {
        "experiment": "ants", "code": {"commit": "0123456789abcdef", "dirty": True},
        "params": {"model": {"arch": "resnet18"}, "train": {"mode": "frozen", "lr": lr}},
        "environment": {"python": "3.11", "host": "hive"},
    }  # fmt: skip
    ledger.append(
        run_id,
        [
            Event("started", described | started, time=time),
            Event("trained", {}, seconds=12.34),
            Event("evaluated", {"metrics": numbers, "evaluation": evaluation}),
            Event("exported", {"metrics": exported, "parity": {"onnx_bytes": 2_500_000}}),
            Event("finished", {"state": "completed", "attempt": 1}, time=f"{time[:14]}25:33.000+00:00"),
        ],
        {"predictions.csv": answers(right)},
    )
