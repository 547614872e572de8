"""A run from its first second: one id from the start to the end, however often training is interrupted."""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

from runhive.formats.document import Document
from runhive.formats.train_record import TrainRecord
from runhive.stages import output, paths
from runhive.stages.inputs import kept_inputs
from runhive.tracking.ledger.ledger import Ledger, open_ledger
from runhive.tracking.ledger.run import Event, new_run_id, utc_now
from runhive.tracking.life import liveness
from runhive.tracking.life.life import described, exit_on_signals, lived
from runhive.tracking.life.origin import REPRODUCES, prepared_event, queued_event
from runhive.tracking.life.outbox import outbox
from runhive.tracking.repository import main_root

RUN = "run.json"
FROM_TRAIN = ("train", "evaluate", "export", "record", "report")  # what dvc.lock says of them is of another run


class OpenRun(Document):
    """The run that trains from these inputs. `started` is the content of its `started` event."""

    version: ClassVar[int] = 1

    run_id: str
    attempt: int
    started_at: str
    started: dict[str, Any]


def checkpoint_folder(root: Path, input_digest: str) -> Path:
    """Where training from these inputs keeps its state: outside DVC's outs, which DVC deletes before a stage.

    A reproduction has one of its own: it goes on with itself alone, not with what its original left unfinished.
    """
    own = f"-{original}" if (original := os.environ.get(REPRODUCES)) else ""
    return root / paths.STATE / "checkpoints" / f"{input_digest}{own}"


@contextmanager
def opened_run(ledger: Ledger, root: Path, folder: Path, started: dict[str, Any]) -> Iterator[OpenRun]:
    """Open a run in the ledger, or take up the one that *folder* holds; tell the ledger how the block ended badly.

    A run that ends well stays open: `record` closes it with its results.
    """
    liveness.close_lost(ledger, root)
    exit_on_signals()  # before the ledger hears of the run, so that it hears of its end too
    started, files = described(started, Path.cwd())
    run = _take_up(folder, started)
    box = outbox(root, run.run_id)
    if run.attempt == 1:
        output.copy_fetch_log(box)
    output.move_log(box, "train")
    events = [Event("started", run.started, time=run.started_at)]
    if run.attempt > 1:
        resumed = {"attempt": run.attempt, "environment": started["environment"], "launcher": started["launcher"]}
        events.append(Event("resumed", resumed))
    if queued := queued_event(run.attempt):
        events.append(queued)
    with lived(ledger, root, run.run_id, run.attempt, "train", events, files | kept_inputs(FROM_TRAIN)):
        yield run
    liveness.watch(root, run.run_id, liveness.launcher())


def prepared(root: Path, run: OpenRun) -> None:
    """Note that all is ready and learning begins."""
    outbox(root, run.run_id).post(prepared_event(run.attempt))


@contextmanager
def part_of_run(stage: str) -> Iterator[None]:
    """Count *stage*, which comes after train, to the run that trained; its failure is the run's."""
    if not paths.TRAIN_RECORD.exists():
        yield
        return
    exit_on_signals()
    trained, root = TrainRecord.read(paths.TRAIN_RECORD), main_root()
    ledger = open_ledger(root)
    liveness.close_lost(ledger, root)
    output.move_log(outbox(root, trained.run_id), stage)
    with lived(ledger, root, trained.run_id, trained.attempt, stage):
        yield
    liveness.watch(root, trained.run_id, liveness.launcher(), stage)


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
