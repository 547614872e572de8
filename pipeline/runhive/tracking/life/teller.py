"""The process beside a run that tells of it: `python -m … ROOT RUN_ID ATTEMPT PHASE WORKFLOW_RUN`, until stdin ends."""

import json
import os
import select
import signal
import sys
from collections import deque
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic

from runhive.errors import RunhiveError
from runhive.mistakes import one_line
from runhive.tracking.life.broadcast import LINE, LINES, MOST_NUMBERS, NUMBERS_FILE, Broadcast, object_name
from runhive.tracking.life.outbox import Outbox, outbox
from runhive.tracking.life.process import die_with_parent
from runhive.tracking.life.scalars import read_scalars
from runhive.tracking.secrets import masked
from runhive.tracking.storage.remote_file import RemoteFolder, default_remote

SECONDS = 10.0  # between two writes
BEAT_SECONDS = 60.0  # after which what is unchanged is written again, as a sign of life


class Listener:
    """Reads on where it stopped: the log of this phase, and the last numbers."""

    def __init__(self, box: Outbox, numbers: Path, run_id: str, attempt: int, phase: str) -> None:
        self._box, self._numbers = box, numbers
        self._run_id, self._attempt, self._phase = run_id, attempt, phase
        self._lines: deque[str] = deque(maxlen=LINES)
        self._printed = self._read = 0

    def hear(self) -> Broadcast:
        """Return what is to be told now."""
        own = [path for path in self._box.logs() if path.stem.partition("-")[2] == self._phase][-1:]
        for path in own:
            with suppress(FileNotFoundError), path.open("rb") as file:  # it was taken up just now
                file.seek(self._read)
                whole, _, _ = file.read().rpartition(b"\n")
                self._take(whole)
        return Broadcast(
            run_id=self._run_id, attempt=self._attempt, phase=self._phase, time=datetime.now(UTC),
            printed=self._printed, lines=list(self._lines), metrics=self._metrics(),
        )  # fmt: skip

    def _take(self, whole: bytes) -> None:
        if not whole:
            return
        self._read += len(whole) + 1
        for line in whole.decode(errors="replace").split("\n"):
            self._lines.append(masked(line)[:LINE])
            self._printed += 1

    def _metrics(self) -> dict[str, float]:
        found = {name: value for line in read_scalars(self._box.scalars) for name, value in line["values"].items()}
        with suppress(FileNotFoundError):
            found |= json.loads(self._numbers.read_bytes())
        finite = {masked(name): float(value) for name, value in found.items() if abs(value) < float("inf")}
        return dict(list(finite.items())[-MOST_NUMBERS:])


class Teller:
    """Writes what is new to the remote, and says once where that fails: the run does not depend on it."""

    def __init__(self, remote: RemoteFolder, name: str) -> None:
        self._remote, self._name = remote, name
        self._told: Broadcast | None = None
        self._at = 0.0
        self._failed = False

    def tell(self, now: Broadcast) -> None:
        """Write *now*, unless only its time is new and the last write is not long ago."""
        same = self._told and now.model_copy(update={"time": self._told.time}) == self._told
        if same and monotonic() < self._at + BEAT_SECONDS:
            return
        try:
            self._remote.write(self._name, now.model_dump_json().encode())
        except Exception as error:  # botocore, google and azure have no class in common; the next try may do
            if not self._failed:
                _complain(str(error) or type(error).__name__)
            self._failed = True
        else:
            self._told, self._at = now, monotonic()


def main(root: Path, run_id: str, attempt: int, phase: str, workflow_run: str) -> None:
    """Tell until stdin ends, and then once more."""
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's goes to the whole group
    listener = Listener(outbox(root, run_id), Path(os.environ[NUMBERS_FILE]), run_id, attempt, phase)
    teller = Teller(default_remote(root), object_name(workflow_run))
    over = False
    while not over:
        teller.tell(listener.hear())
        over = bool(select.select([sys.stdin], [], [], SECONDS)[0])
    teller.tell(listener.hear())


def _complain(reason: str) -> None:
    print(f"runhive: no live lines can be sent ({one_line(reason)[:300]}): the run goes on", file=sys.stderr)


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4], sys.argv[5])
    except RunhiveError as error:
        _complain(str(error))
        sys.exit(1)
