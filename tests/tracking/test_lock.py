"""The file lock, between processes."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from runhive.errors import RunhiveError
from runhive.tracking.ledger.lock import file_lock

HOLD = """
import sys, time
from pathlib import Path
from runhive.tracking.ledger.lock import file_lock
with file_lock(Path(sys.argv[1]), wait=0):
    print("held", flush=True)
    time.sleep(600)
"""

FORK = """
import os, signal, sys
from pathlib import Path
from runhive.tracking.ledger.lock import file_lock
with file_lock(Path(sys.argv[1]), wait=0):
    child = os.fork()
    if child == 0:
        os.close(1)
        signal.pause()
print(child)
"""


def holder(path: Path) -> "subprocess.Popen[str]":
    process = subprocess.Popen([sys.executable, "-c", HOLD, path], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stdout.readline() == "held\n"
    return process


@pytest.mark.fault(
    "ledger",
    "a lock whose holder is killed",
    wanted="it is free at once",
    said="… is locked by process …: wait for it to end, or end it",
)
def test_a_held_lock_names_its_holder_and_dies_with_it(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "the.lock"
    with holder(path) as process:
        try:
            for wait in (0, 0.1):
                with pytest.raises(RunhiveError, match=f"the.lock is locked by process {process.pid}"):
                    file_lock(path, wait).__enter__()
        finally:
            process.kill()

    with file_lock(path, wait=0):
        assert path.read_text() == str(os.getpid())


def test_who_waits_for_ever_gets_it_when_the_holder_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "the.lock"
    with holder(path) as process:
        waiting = subprocess.Popen([sys.executable, "-c", HOLD.replace("wait=0", "wait=None"), path],
                                   stdout=subprocess.PIPE, text=True)  # fmt: skip
        process.kill()
    with waiting:
        assert waiting.stdout is not None
        line = waiting.stdout.readline()
        waiting.kill()

    assert line == "held\n"


def test_a_forked_child_does_not_hold_on(tmp_path: Path) -> None:
    path = tmp_path / "the.lock"
    with subprocess.Popen([sys.executable, "-c", FORK, path], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
    try:
        with file_lock(path, wait=0):
            pass
    finally:
        os.kill(child, signal.SIGKILL)


def test_the_lock_is_free_after_an_error_within(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), file_lock(tmp_path / "the.lock", wait=0):
        _ = 1 / 0

    with file_lock(tmp_path / "the.lock", wait=0):
        pass


def test_a_folder_that_is_a_file_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(RunhiveError, match="cannot be written"):
        file_lock(tmp_path / "file" / "the.lock", wait=0).__enter__()
