"""The log of a run: what the ledger or DVC's cache keeps of it, and what a run that lives here is printing."""

import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TextIO

from runhive.tracking.ledger.ledger import Ledger
from runhive.tracking.ledger.run import Run
from runhive.tracking.life.intake import LOG
from runhive.tracking.life.liveness import close_lost, live_runs
from runhive.tracking.life.outbox import Outbox, outbox
from runhive.tracking.storage import artifacts

POLL_SECONDS = 0.2


def log_of(ledger: Ledger, root: Path, run: Run) -> str:
    """Return what there is of the log of *run*: kept, then what it has printed since."""
    with closing(_Tails(outbox(root, run.run_id))) as tails:
        return kept_log(ledger, root, run) + "".join(tails.new_text())


def kept_log(ledger: Ledger, root: Path, run: Run) -> str:
    """Return the whole log where this machine's cache has it, its last part otherwise; empty where none is kept."""
    told = run.files.get(LOG)
    content = artifacts.kept(root, told["md5"]) if told else None
    return (content or ledger.file(run.run_id, LOG) or b"").decode(errors="replace")


def follow(ledger: Ledger, root: Path, run: Run) -> Iterator[str]:
    """Yield the log of *run* in pieces as it grows, until the run has ended or its process is gone."""
    told = kept_log(ledger, root, run)
    yield told
    with closing(_Tails(outbox(root, run.run_id))) as tails:
        goes_on = True
        while goes_on:
            goes_on = is_open(ledger, root, run.run_id)  # before the look, so that the last one sees the end
            for piece in tails.new_text():
                told += piece
                yield piece
            if goes_on:
                time.sleep(POLL_SECONDS)
    whole = kept_log(ledger, root, ledger.run(run.run_id))
    if whole.startswith(told):  # what was printed and taken up between two looks
        yield whole.removeprefix(told)


def is_open(ledger: Ledger, root: Path, run_id: str) -> bool:
    """Say whether the run goes on here. One whose process died is closed as lost first."""
    close_lost(ledger, root)
    return any(live.run_id == run_id for live in live_runs(root))


class _Tails:
    """The logs of one run's processes, each open where it was read to: a file that was taken up is read to its end."""

    def __init__(self, box: Outbox) -> None:
        self.box = box
        self.files: dict[Path, TextIO] = {}

    def new_text(self) -> Iterator[str]:
        for path in self.box.logs():
            if path not in self.files:
                try:
                    self.files[path] = path.open(errors="replace")
                except FileNotFoundError:  # taken up just now
                    continue
        for path, file in self.files.items():
            first = file.tell() == 0
            if text := file.read():
                yield _text(path, text) if first else text

    def close(self) -> None:
        for file in self.files.values():
            file.close()


def _text(path: Path, text: str) -> str:
    """The log of one process under its heading, as it will be kept."""
    return f"== {path.stem.partition('-')[2]} ==\n{text}" if text else ""
