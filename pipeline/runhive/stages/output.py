"""What a stage prints, kept for the log of its run."""

import os
import shutil
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from runhive.errors import RunhiveError, told_of_disk
from runhive.stages import paths
from runhive.stages.phase import read_phase
from runhive.tracking.ledger.ledger import open_ledger
from runhive.tracking.life.capture import captured
from runhive.tracking.life.liveness import leave
from runhive.tracking.life.outbox import Outbox
from runhive.tracking.repository import main_root

OF_A_RUN = ("train", "evaluate", "export")
FETCH_LOG = paths.STATE / "logs" / "fetch.txt"


@contextmanager
def kept_output(stage: str) -> Iterator[None]:
    """Keep what *stage* prints, its error included, which is printed here; then exit with code 1.

    `move_log` hands the log to the run as soon as that is known. The log of fetch, which comes before any run, waits in
    the workspace for the training that follows.
    """
    if stage not in (*OF_A_RUN, "fetch"):
        yield
        return
    log = _open_log(stage)
    try:
        with captured(log), _printed_errors():
            yield
    except BaseException:
        if stage in OF_A_RUN:
            root = main_root()
            leave(open_ledger(root), root)  # the run is closed by now: its log follows
        raise
    finally:
        if stage == "fetch":
            with suppress(OSError):  # a full disk ends the log, not the stage
                log.replace(FETCH_LOG)
        log.unlink(missing_ok=True)


def move_log(box: Outbox, stage: str) -> None:
    """Give the log of this process, if it is kept, to the run."""
    log = _open_log(stage)
    if log.exists():
        log.replace(box.new_log(stage))


def copy_fetch_log(box: Outbox) -> None:
    """Give the log of the fetch that made the data here to the run."""
    if FETCH_LOG.exists() and read_phase("fetch"):
        shutil.copyfile(FETCH_LOG, box.new_log("fetch"))


@contextmanager
def _printed_errors() -> Iterator[None]:
    try:
        yield
    except RunhiveError as error:
        print(*(f"runhive: {line}" for line in str(error).splitlines()), sep="\n", file=sys.stderr)
        sys.exit(1)
    except ModuleNotFoundError:
        raise
    except Exception as error:
        if isinstance(error, OSError) and (told := told_of_disk(error)):
            print(f"runhive: {told}", file=sys.stderr)
        else:  # a bug: as the interpreter would print it
            traceback.print_exc()
        sys.exit(1)


def _open_log(stage: str) -> Path:
    root = Path() if stage == "fetch" else main_root()
    return root / paths.STATE / "logs" / f"{stage}-{os.getpid()}.txt"
