"""Unlucky worlds: a full disk, a read-only one, a clock that went back, many processes, hostile words."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from runhive.errors import RunhiveError
from runhive.tracking.ledger.ledger import Ledger, open_ledger
from runhive.tracking.ledger.run import Event
from runhive.tracking.ledger.verify import verify

Git = Callable[..., str]

RUN = "20261123-142233-7f3a9c"
STARTED = Event("started", {"experiment": "ants"})
COMPLETED = Event("finished", {"state": "completed", "attempt": 1})
LONG = bool(os.environ.get("RUNHIVE_LONG"))
WRITER = """
import sys
from pathlib import Path
from runhive.tracking.ledger.ledger import open_ledger
from runhive.tracking.ledger.run import Event
ledger = open_ledger(Path(sys.argv[1]))
for number in range(int(sys.argv[3])):
    ledger.append(sys.argv[2], [Event("counted", {"number": number})])
"""


@contextmanager
def mounted(folder: Path, *options: str) -> Iterator[None]:
    folder.mkdir(exist_ok=True)
    done = subprocess.run(["mount", *options, folder], capture_output=True, text=True) if os.getuid() == 0 else None
    if done is None or done.returncode != 0:
        pytest.skip("NOT TRIED: mounting a file system takes root's rights")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def test_eight_processes_lose_nothing_and_double_nothing(ledger: Ledger, repository: Path) -> None:
    count = 200 if LONG else 25
    ids = [f"20261123-142233-{number:06x}" for number in range(8)]
    running = [subprocess.Popen([sys.executable, "-c", WRITER, repository, run_id, str(count)]) for run_id in ids]
    assert [process.wait() for process in running] == [0] * 8

    assert [[event.data["number"] for event in ledger.run(run_id).events] for run_id in ids] == [[*range(count)]] * 8
    assert verify(ledger.repository).problems == ()


@pytest.mark.fault(
    "ledger",
    "the disk is full",
    wanted="what was there stays",
    said="the ledger cannot be written (…): free the disk or mend permissions",
)
def test_a_full_disk_is_one_line_and_what_was_there_stays(tmp_path: Path, git: Git) -> None:
    disk = tmp_path / "disk"
    with mounted(disk, "-t", "tmpfs", "-o", "size=600k", "none"):
        git(disk, "init", "--quiet", ".")
        ledger = open_ledger(disk)
        ledger.append(RUN, [STARTED])
        acknowledged = 0
        with pytest.raises(RunhiveError, match="cannot be written") as caught:
            for number in range(1000):
                ledger.append(RUN, [], {f"{number}.bin": os.urandom(20_000)})
                acknowledged += 1

        assert "\n" not in str(caught.value)
        assert len(open_ledger(disk).files(RUN)) == acknowledged
        assert verify(open_ledger(disk).repository).problems == ()
        subprocess.run(["mount", "-o", "remount,size=5m", disk], check=True)
        ledger.append(RUN, [COMPLETED])
        assert ledger.run(RUN).state == "completed"


@pytest.mark.fault(
    "ledger",
    "the disk can only be read",
    wanted="it can be read",
    said="the ledger cannot be written (…): free the disk or mend permissions",
)
def test_a_read_only_disk_can_be_read_and_says_so_when_written(tmp_path: Path, git: Git) -> None:
    disk = tmp_path / "disk"
    with mounted(disk, "-t", "tmpfs", "none"):
        git(disk, "init", "--quiet", ".")
        open_ledger(disk).append(RUN, [STARTED])
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        ledger = open_ledger(disk)

        assert [row["run_id"] for row in ledger.rows()] == [RUN]
        assert verify(ledger.repository).problems == ()
        with pytest.raises(RunhiveError, match="cannot be written"):
            ledger.append(RUN, [COMPLETED])


@pytest.mark.fault(
    "ledger",
    "the clock goes back a day",
    wanted="the order of events stays; an old lock is still old",
)
def test_a_clock_that_went_back_a_day_changes_neither_order_nor_locks(ledger: Ledger, repository: Path) -> None:
    ledger.append(RUN, [Event("counted", {"number": 1}, time="2026-11-24T12:00:00.000+00:00")])
    lock = repository / ".git" / "refs" / "runs" / "main.lock"
    lock.touch()
    os.utime(lock, (time.time() + 86_400, time.time() + 86_400))

    ledger.append(RUN, [Event("counted", {"number": 2}, time="2026-11-23T12:00:00.000+00:00")])

    assert [event.data["number"] for event in ledger.run(RUN).events] == [1, 2]
    assert not lock.exists()


@pytest.mark.parametrize("setting", ["detached", "unborn"])
def test_no_branch_and_no_commit_are_no_matter(repository: Path, tmp_path: Path, git: Git, setting: str) -> None:
    root = repository
    if setting == "detached":
        git(repository, "checkout", "--quiet", "--detach")
    else:
        root = tmp_path / "unborn"
        git(tmp_path, "init", "--quiet", "unborn")

    open_ledger(root).append(RUN, [STARTED])

    assert verify(open_ledger(root).repository).counts["runs"] == 1


@pytest.mark.fault(
    "ledger",
    "hostile words in names, parameters and metrics",
    wanted="stored as they are, or refused in one line",
)
def test_hostile_words_are_stored_as_they_are_or_refused(ledger: Ledger, repository: Path) -> None:
    words = "<script>alert(1)</script> ../../etc \n\r\t \u202egpj.exe \x1b[31m $(id) \N{HONEYBEE}"
    ledger.append(RUN, [Event("started", {"experiment": words, "params": {words: words}})])

    assert ledger.run(RUN).experiment == words
    assert ledger.rows()[0][f"params.{words}"] == words
    for event in (Event("counted", {"tag": "x" * 5_000_001}), Event("counted", {"name": "caf\udce9"})):
        with pytest.raises(RunhiveError, match="event 'counted'"):
            ledger.append(RUN, [event])
    assert len(ledger.run(RUN).events) == 1
    assert {path.name for path in repository.iterdir()} == {".git", "model.py"}
