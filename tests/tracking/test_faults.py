"""The old ledger or the new one, nothing else, whichever call that changes the disk fails or is the last one.

`RUNHIVE_LONG=1 pytest tests/tracking/test_faults.py` tries each call; else it is a few at random of each kind.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from faults import environment

HERE = Path(__file__).parent
LONG = bool(os.environ.get("RUNHIVE_LONG"))
MEMORY = Path("/dev/shm")  # where nothing waits for a disk


@pytest.mark.fault(
    "ledger",
    "a call that changes the disk fails or is the last one, at any such call",
    wanted="the old ledger or the new one; the next command goes on",
)
@pytest.mark.parametrize("kind", ["fail", "kill"])
@pytest.mark.parametrize(("action", "points"), [("append", 25), ("push", 4), ("pull", 4), ("gc", 4), ("purge", 4)])
def test_a_call_that_fails_or_kills_leaves_the_old_or_the_new(
    shim: Path, tmp_path: Path, action: str, points: int, kind: str
) -> None:
    work = tmp_path
    if os.access(MEMORY, os.W_OK):
        work = MEMORY / f"runhive-{os.getpid()}-{action}-{kind}"
        work.mkdir()
    try:
        done = subprocess.run(
            [sys.executable, HERE / "sweep.py", action, kind, "0" if LONG else str(points), work],
            env=environment(shim, work / "plan"), capture_output=True, text=True,
        )  # fmt: skip
    finally:
        shutil.rmtree(work)

    assert done.returncode == 0, done.stderr[-2000:]
    assert "swept" in done.stdout
