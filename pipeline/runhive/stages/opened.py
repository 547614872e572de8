"""A run from its first second: one id from the start to the end, however often training is interrupted."""

import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, ClassVar

from runhive.errors import RunhiveError
from runhive.formats.document import Document
from runhive.formats.train_record import TrainRecord
from runhive.stages import paths
from runhive.tracking import liveness
from runhive.tracking.ledger import Ledger, open_ledger
from runhive.tracking.run import Event, new_run_id, utc_now

RUN = "run.json"
STOPS = (signal.SIGINT, signal.SIGTERM)


class OpenRun(Document):
    """The run that trains from these inputs. `started` is the content of its `started` event."""

    version: ClassVar[int] = 1

    run_id: str
    attempt: int
    started_at: str
    started: dict[str, Any]


def checkpoint_folder(root: Path, input_digest: str) -> Path:
    """Where training from these inputs keeps its state: outside DVC's outs, which DVC deletes before a stage."""
    return root / paths.STATE / "checkpoints" / input_digest


@contextmanager
def opened_run(ledger: Ledger, root: Path, folder: Path, started: dict[str, Any]) -> Iterator[OpenRun]:
    """Open a run in the ledger, or take up the one that *folder* holds; tell the ledger how the block ended badly.

    A run that ends well stays open: `record` closes it with its results.
    """
    liveness.close_lost(ledger, root)
    for number in STOPS:  # before the ledger hears of the run, so that it hears of its end too
        signal.signal(number, _exit_on_signal)
    run = _take_up(folder, started)
    liveness.watch(root, run.run_id, liveness.this_process())
    events = [Event("started", run.started, time=run.started_at)]
    if run.attempt > 1:
        events.append(Event("resumed", {"attempt": run.attempt, "environment": started["environment"]}))
    try:
        ledger.append(run.run_id, events)
        yield run
    except BaseException as error:
        ledger.append(run.run_id, [*events, Event("finished", _ending(error) | {"attempt": run.attempt})])
        liveness.forget(root, run.run_id)
        raise
    liveness.watch(root, run.run_id, liveness.launcher())


@contextmanager
def failure_told(stage: str) -> Iterator[None]:
    """Close the open run as failed when *stage*, which comes after train, fails."""
    try:
        yield
    except Exception as error:  # whatever it is, the run tells it and it goes on up
        if paths.TRAIN_RECORD.exists():
            trained = TrainRecord.read(paths.TRAIN_RECORD)
            ending = {"state": "failed", "cause": f"{stage}: {_cause(error)}", "attempt": trained.attempt}
            open_ledger().append(trained.run_id, [Event("finished", ending)])
        raise


def close_run(root: Path, run_id: str, input_digest: str) -> None:
    """Drop what a run needs only while it is open."""
    liveness.forget(root, run_id)
    folder = checkpoint_folder(root, input_digest)
    if (folder / RUN).exists() and OpenRun.read(folder / RUN).run_id == run_id:
        shutil.rmtree(folder)


def _take_up(folder: Path, started: dict[str, Any]) -> OpenRun:
    """The run of *folder* with one attempt more, or a new one; written before the ledger hears of it."""
    if (folder / RUN).exists():
        before = OpenRun.read(folder / RUN)
        run = before.model_copy(update={"attempt": before.attempt + 1})
        print(f"going on with run {run.run_id}, attempt {run.attempt}", file=sys.stderr)
    else:
        run = OpenRun(run_id=new_run_id(), attempt=1, started_at=utc_now(), started=started)
        print(f"run {run.run_id}", file=sys.stderr)
    run.write(folder / RUN)
    return run


def _ending(error: BaseException) -> dict[str, str]:
    if isinstance(error, SystemExit):
        return {"state": "canceled", "cause": "stopped by a signal; `dvc repro` goes on from the last epoch"}
    return {"state": "failed", "cause": _cause(error)}


def _cause(error: BaseException) -> str:
    """The error in one line; its kind is named where it is a bug and no mistake of the user."""
    line = (str(error).splitlines() or [""])[0]
    return line if isinstance(error, RunhiveError) else f"{type(error).__name__}: {line}"


def _exit_on_signal(number: int, _: FrameType | None) -> None:
    """End, once: when a parent of several threads dies, the kernel sends a signal for each, and people press twice."""
    for one in STOPS:
        signal.signal(one, signal.SIG_IGN)
    sys.exit(128 + number)
