"""A run made again in a folder of its own, and how near the second came to the first."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from math import isclose
from pathlib import Path
from typing import Any

from runhive.errors import RunhiveError
from runhive.formats.train_record import TrainRecord
from runhive.tracking.checkout import checked_out
from runhive.tracking.ledger.ledger import Ledger
from runhive.tracking.ledger.run import Event, Run
from runhive.tracking.life.origin import PARENT, REPRODUCES
from runhive.tracking.life.process import die_with_parent
from runhive.tracking.storage.turns import filling

TRAIN_RECORD = "models/train.json"
STAGE = "record"  # the last one that a reproduction needs: it has train, evaluate and export run
UNCOMPARED = "export."  # sizes and rounding differences of the export, which are no result of the run


@dataclass(frozen=True)
class Verdict:
    """How near *again* came.

    `differences` are metrics that differ, `surroundings` what else does: the first run's value, then the second's.
    There is no verdict on a run that did not complete, nor on its weights.
    """

    verdict: str | None
    again: Run
    same_weights: bool | None
    differences: dict[str, list[float | None]]
    surroundings: dict[str, list[Any]]


def reproduce(ledger: Ledger, root: Path, run: Run, tolerance: float, keep: bool = False) -> Verdict:
    """Run the pipeline again with the code and parameters of *run*, and record the verdict with it, if there is one.

    The second run is one like any other, with *run* as its parent; it begins anew, whatever *run* left unfinished.
    Raises RunhiveError where *run* cannot be made again here, and where the second run fails; then there is no verdict.
    """
    if run.state == "running":
        raise RunhiveError(f"run {run.run_id} is running: wait for it to end")
    with filling(root), checked_out(ledger, root, run, keep) as folder:
        _run_pipeline(folder, run)
        again = ledger.run(TrainRecord.read(folder / TRAIN_RECORD).run_id)
    if run.state != "completed":
        return Verdict(None, again, None, {}, dict(_surroundings(run, again)))
    found = judge(run, again, tolerance)
    said = {
        "verdict": found.verdict,
        "run_id": again.run_id,
        "tolerance": tolerance,
        "same_weights": found.same_weights,
        "differences": found.differences,
        "surroundings": found.surroundings,
    }
    ledger.append(run.run_id, [Event("reproduced", said)])
    return found


def judge(run: Run, again: Run, tolerance: float) -> Verdict:
    """Compare two runs of the same code and parameters: weights by digest, metrics by value.

    Within tolerance is each metric that differs by at most *tolerance*, or by that share of the larger one.
    """
    names = [name for name in dict.fromkeys([*run.metrics, *again.metrics]) if not name.startswith(UNCOMPARED)]
    pairs = {name: (run.metrics.get(name), again.metrics.get(name)) for name in names}
    differences: dict[str, list[float | None]] = {name: [*pair] for name, pair in pairs.items() if pair[0] != pair[1]}
    same_weights = run.training.get("weights_sha256") == again.training.get("weights_sha256")
    near = all(
        a is not None and b is not None and isclose(a, b, rel_tol=tolerance, abs_tol=tolerance)
        for a, b in pairs.values()
    )
    same_data = run.data.get("digest") == again.data.get("digest")
    if same_weights and not differences and same_data:
        verdict = "bit for bit"
    else:
        verdict = "within tolerance" if near and same_data else "not"
    return Verdict(verdict, again, same_weights, differences, dict(_surroundings(run, again)))


def _surroundings(run: Run, again: Run) -> Iterator[tuple[str, list[Any]]]:
    """What may explain a difference: data, and what the two ran on."""
    first, second = ({"data": one.data.get("digest"), **_flat(one.environment)} for one in (run, again))
    for name in dict.fromkeys([*first, *second]):
        if first.get(name) != second.get(name):
            yield name, [first.get(name), second.get(name)]


def _flat(environment: Mapping[str, Any]) -> dict[str, Any]:
    packages = environment.get("packages")
    named = packages if isinstance(packages, dict) else {}
    return {key: value for key, value in environment.items() if key != "packages"} | named


def _run_pipeline(folder: Path, run: Run) -> None:
    """Run the stages in *folder* to their end. Raises RunhiveError where one fails."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("DVC_", "GIT_"))}
    environment |= {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "DVC_NO_ANALYTICS": "1",
        PARENT: run.run_id,
        REPRODUCES: run.run_id,
        "RUNHIVE_LAUNCHER": "runhive runs reproduce",
    }
    process = subprocess.Popen(
        ["dvc", "repro", "--quiet", "--no-run-cache", STAGE], cwd=folder, env=environment, preexec_fn=die_with_parent
    )
    with _stopped_together(process):
        code = process.wait()
    if code != 0:
        raise RunhiveError(
            f"the reproduction of run {run.run_id} did not end well (dvc repro: exit code {code}): see above, "
            "and `runhive runs list` for its state; there is no verdict"
        )


@contextmanager
def _stopped_together(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Hand a signal to end on to the pipeline and wait for its end, so that the folder is not removed under it."""

    def hand_on(number: int, _: object) -> None:
        process.terminate()
        process.wait()
        sys.exit(128 + number)

    before = signal.signal(signal.SIGTERM, hand_on)
    try:
        yield
    except KeyboardInterrupt:
        process.wait()  # Ctrl-C reaches the pipeline too
        raise
    finally:
        signal.signal(signal.SIGTERM, before)
