"""What a run leaves on its machine while it lives, until the ledger takes it up: log, samples, numbers, events.

`.runhive/runs/<run id>/` of the main working tree. Everything is appended or renamed into place, so a kill loses
nothing that was there, and whoever closes the run, even long after, takes it up.
"""

import os
import shutil
import time
import warnings
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from runhive.errors import RunhiveError
from runhive.files import write_atomic
from runhive.tracking.ledger.run import Event, run_folder
from runhive.tracking.secrets import masked_tree

SYSTEM = "system.csv"
SCALARS = "scalars.jsonl"


@dataclass(frozen=True)
class Outbox:
    """The local folder of one run."""

    folder: Path

    @property
    def system(self) -> Path:
        """The table of samples."""
        return self.folder / SYSTEM

    @property
    def scalars(self) -> Path:
        """What the run's own code logged, as `ScalarLog` writes it."""
        return self.folder / SCALARS

    def new_log(self, phase: str) -> Path:
        """Return a new place for the log of one process of the run; they sort by their start."""
        (self.folder / "log").mkdir(parents=True, exist_ok=True)
        return self.folder / "log" / f"{time.time_ns():020d}-{phase}.txt"

    def logs(self) -> list[Path]:
        """Return the logs so far, oldest first. The last may still grow."""
        return sorted((self.folder / "log").glob("*.txt"))

    def post(self, event: Event) -> None:
        """Leave *event*, its secrets masked, for whoever takes up. Raises RunhiveError where it cannot be recorded."""
        content = replace(event, data=masked_tree(event.data)).to_json()
        Event.from_json(content)
        write_atomic(self.folder / "events" / f"{time.time_ns():020d}-{os.getpid()}.json", content)

    def events(self) -> dict[Path, Event]:
        """Return the events left here, oldest first, by their files. A damaged one is left out with a warning."""
        found = {}
        for path in sorted((self.folder / "events").glob("*.json")):
            try:
                found[path] = Event.from_json(path.read_bytes())
            except RunhiveError as error:
                warnings.warn(f"left out: {path} is damaged ({error}): remove it", stacklevel=2)
        return found

    def keep(self, name: str, content: bytes) -> None:
        """Leave *content* as the run's file *name* in the ledger."""
        write_atomic(self.folder / "files" / name, content)

    def files(self) -> dict[Path, bytes]:
        """Return the files left here for the ledger, by their paths."""
        paths = sorted((self.folder / "files").glob("[!.]*"))
        return {path: path.read_bytes() for path in paths}

    def drop(self, taken: Iterable[Path]) -> None:
        """Remove what was taken up, and the folder when nothing else came meanwhile."""
        for path in taken:
            path.unlink(missing_ok=True)
        if not any(path.is_file() for path in self.folder.rglob("*")):
            shutil.rmtree(self.folder, ignore_errors=True)


def outbox(root: Path, run_id: str) -> Outbox:
    """Return the outbox of the run in the repository whose main working tree is *root*; it need not exist."""
    run_folder(run_id)
    return Outbox(root / ".runhive" / "runs" / run_id)


def outboxes(root: Path) -> list[str]:
    """Return the ids of the runs that have an outbox here."""
    found = []
    for folder in sorted((root / ".runhive" / "runs").glob("*")):
        try:
            run_folder(folder.name)
        except RunhiveError:
            continue
        found.append(folder.name)
    return found
