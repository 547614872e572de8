"""Which runs of this machine are alive: one small local file a run, and what the kernel says of its process.

Only the machine that owns a run may call it lost, so the files stay local, in `.runhive/live/`.
"""

import json
import os
import shutil
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from runhive.errors import RunhiveError
from runhive.files import write_atomic
from runhive.tracking.ledger.ledger import Ledger, open_ledger
from runhive.tracking.ledger.lock import file_lock
from runhive.tracking.ledger.run import Event, Run, run_folder
from runhive.tracking.life.intake import take_up
from runhive.tracking.life.outbox import outbox, outboxes
from runhive.tracking.life.process import Owner, die_with_parent, host, is_alive, launcher, this_process
from runhive.tracking.repository import main_root
from runhive.tracking.storage.turns import filling

__all__ = [
    "Live",
    "Owner",
    "beat",
    "close_lost",
    "die_with_parent",
    "forget",
    "is_alive",
    "launcher",
    "leave",
    "live_runs",
    "refuse_while_running",
    "settled_ledger",
    "this_process",
    "watch",
]
LOCK_SECONDS = 60.0
SILENT = timedelta(days=1)  # after which a run of another machine, whose processes cannot be seen, counts as gone


@dataclass(frozen=True)
class Live:
    """What a run's file says, and when its heart last beat."""

    run_id: str
    owner: Owner
    phase: str
    heartbeat: str


def watch(root: Path, run_id: str, owner: Owner, phase: str = "train") -> None:
    """Note that *run_id* lives as long as *owner* does; again, to change owner or phase."""
    content = json.dumps({"phase": phase, "owner": asdict(owner)}, sort_keys=True) + "\n"
    with filling(root), _lock(root):  # from then on `refuse_while_running` knows it
        write_atomic(_path(root, run_id), content.encode())


def beat(root: Path, run_id: str) -> None:
    """Renew the run's heartbeat, unless nobody watches it any more."""
    with suppress(FileNotFoundError):
        os.utime(_path(root, run_id))


def forget(root: Path, run_id: str) -> None:
    """Stop watching *run_id*."""
    _path(root, run_id).unlink(missing_ok=True)


def live_runs(root: Path) -> list[Live]:
    """Return what is watched, oldest run first. A damaged file is left out with a warning that names it."""
    return list(_readable(root))


def settled_ledger() -> Ledger:
    """Open the ledger of the real repository, once the runs of this machine are closed whose process died."""
    root = main_root()
    ledger = open_ledger(root)
    close_lost(ledger, root)
    return ledger


def close_lost(ledger: Ledger, root: Path) -> list[str]:
    """Record the runs of this machine whose owner is dead as lost, and return their ids.

    What they left is taken up, and so is what runs that ended left. A run of another machine is not touched, even
    where machines share the folder. A reboot ends every owner.
    """
    if not live_runs(root) and not outboxes(root):  # so that reading a read-only repository takes no lock
        return []
    with _lock(root):
        watched = list(_readable(root))
        dead = [live for live in watched if live.owner.host == host() and not is_alive(live.owner)]
        lost = [live.run_id for live in dead if _close(ledger, root, live)]
        for run_id in set(outboxes(root)).difference(live.run_id for live in watched):
            if ledger.has(run_id):
                take_up(ledger, root, run_id)
    return lost


def refuse_while_running(root: Path) -> None:
    """Raise RunhiveError where a run goes on in this folder: nothing points yet at what it put into DVC's cache."""
    for live in live_runs(root):
        silent = datetime.now(UTC) - datetime.fromisoformat(live.heartbeat)
        if is_alive(live.owner) or (live.owner.host != host() and silent < SILENT):
            where = "here" if live.owner.host == host() else f"on {live.owner.host}"
            raise RunhiveError(f"run {live.run_id} is running {where}: wait for it to end. Nothing was freed")


def leave(ledger: Ledger, root: Path) -> None:
    """Take up what the runs left that this process owns, and stop watching them; their log is closed by then."""
    for live in live_runs(root):
        if live.owner == this_process():
            if ledger.has(live.run_id):
                take_up(ledger, root, live.run_id)
            else:  # the ledger refused it
                shutil.rmtree(outbox(root, live.run_id).folder, ignore_errors=True)
            forget(root, live.run_id)


def _close(ledger: Ledger, root: Path, live: Live) -> bool:
    """Forget a dead run, and say whether the ledger had to be told."""
    run = _recorded(ledger, live.run_id)
    was_running = run is not None and run.state == "running"
    if run:
        cause = f"its process died without a word, last heartbeat {live.heartbeat}: kill -9, full memory or a power cut"
        lost = {"state": "lost", "attempt": run.attempt, "cause": cause, "heartbeat": live.heartbeat}
        take_up(ledger, root, live.run_id, [Event("finished", lost)] if was_running else ())
    forget(root, live.run_id)
    return was_running


def _recorded(ledger: Ledger, run_id: str) -> Run | None:
    try:
        return ledger.run(run_id)
    except RunhiveError:  # it died before it was recorded, or what was recorded cannot be read
        return None


def _readable(root: Path) -> Iterator[Live]:
    for path in sorted(_folder(root).glob("*.json")):
        try:
            content = json.loads(path.read_bytes())
            heartbeat = datetime.fromtimestamp(path.stat().st_mtime, UTC).isoformat(timespec="seconds")
            run_folder(path.stem)
            yield Live(path.stem, Owner(**content["owner"]), content["phase"], heartbeat)
        except FileNotFoundError:
            continue  # forgotten while the folder was read
        except (RunhiveError, ValueError, KeyError, TypeError) as error:
            warnings.warn(f"left out: {path} is damaged ({error}): remove it", stacklevel=3)


def _path(root: Path, run_id: str) -> Path:
    run_folder(run_id)
    return _folder(root) / f"{run_id}.json"


def _folder(root: Path) -> Path:
    return root / ".runhive" / "live"


def _lock(root: Path) -> AbstractContextManager[None]:
    return file_lock(root / ".runhive" / "live.lock", LOCK_SECONDS)
