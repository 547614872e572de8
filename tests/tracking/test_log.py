"""The log of a run that lives here, followed until its end."""

import subprocess
import sys
from pathlib import Path

import pytest

from runhive.tracking.ledger.ledger import Ledger
from runhive.tracking.life.log import follow, is_open, log_of

SCRIPT = "echo one; while [ ! -e go ]; do sleep 0.05; done; echo two; exit {code}"


@pytest.mark.parametrize(("code", "state"), [(0, "completed"), (3, "failed")])
def test_a_live_run_is_followed_from_its_first_line_to_its_last(
    code: int, state: str, ledger: Ledger, repository: Path
) -> None:
    command = [sys.executable, "-m", "runhive", "run", "--", "sh", "-c", SCRIPT.format(code=code)]
    process = subprocess.Popen(command, cwd=repository, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout is not None
    assert process.stdout.readline() == b"one\n"
    (run,) = ledger.runs()
    assert is_open(ledger, repository, run.run_id)

    told = ""
    for piece in follow(ledger, repository, run):
        told += piece
        if "one\n" in told:
            (repository / "go").touch()
    process.communicate()

    (ended,) = ledger.runs()
    assert ended.state == state
    assert [line for line in told.splitlines() if line in ("one", "two")] == ["one", "two"]
    assert log_of(ledger, repository, ended) == told


def test_a_run_whose_process_was_killed_ends_the_following_as_lost(ledger: Ledger, repository: Path) -> None:
    command = [sys.executable, "-m", "runhive", "run", "--", "sh", "-c", SCRIPT.format(code=0)]
    process = subprocess.Popen(command, cwd=repository, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout is not None
    assert process.stdout.readline() == b"one\n"
    (run,) = ledger.runs()
    told = ""
    for piece in follow(ledger, repository, run):
        told += piece
        process.kill()
    (repository / "go").touch()
    process.communicate()

    assert "one\n" in told
    assert ledger.run(run.run_id).state == "lost"
