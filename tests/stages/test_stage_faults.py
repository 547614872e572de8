"""Whichever call fails or is the last one: nothing is lost or half done, a person is told, and the next run heals it.

`RUNHIVE_LONG=1 pytest tests/stages/test_stage_faults.py` tries each call of every stage; else one of each kind.
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
SHORT = ["fetch", "checkpoint", "export", "record"]
ALL = ["fetch", "checkpoint", "train", "evaluate", "export", "record"]

pytestmark = pytest.mark.slow


@pytest.mark.fault(
    "fetch",
    "a write, a flush, a rename or a read fails, or the process is killed, at any such call",
    wanted="the images that were there or none, and no manifest of others; the next fetch makes all of it",
    said="… cannot be written (…): free the disk or mend its permissions",
)
@pytest.mark.fault(
    "checkpoint",
    "a write, a flush, a rename or a read fails, or the process is killed, at any such call",
    wanted="the newest whole checkpoint is the one before or the new one",
    said="… cannot be written (…): free the disk or mend its permissions",
)
@pytest.mark.fault(
    "export",
    "a write, a flush, a rename or a read fails, or the process is killed, at any such call",
    wanted="no parity of another model; the next export writes the same bytes",
    said="…: the disk failed (…): free or mend it, and run this again",
)
@pytest.mark.fault(
    "record",
    "a write, a flush, a rename or a read fails, or the process is killed, at any such call",
    wanted="the old ledger or the new one; the next record ends as one complete run",
    said="the ledger cannot be written (…): free the disk or mend permissions",
)
@pytest.mark.parametrize("stages", [[one] for one in ALL] if LONG else [SHORT], ids="-".join)
def test_a_call_that_fails_or_kills_loses_nothing_and_the_next_run_heals_it(
    stages: list[str], shim: Path, tmp_path: Path
) -> None:
    work = tmp_path
    if os.access(MEMORY, os.W_OK):
        work = MEMORY / f"runhive-{os.getpid()}-stages"
        work.mkdir()
    try:
        variables = environment(shim, work / "plan") | {"FAULT_READS": str(work), "OMP_NUM_THREADS": "1"}
        done = subprocess.run(
            [sys.executable, HERE / "sweep.py", "0" if LONG else "1", work, *stages],
            env={name: value for name, value in variables.items() if not name.startswith(("GIT_", "DVC_", "RUNHIVE_"))},
            capture_output=True, text=True,
        )  # fmt: skip
    finally:
        shutil.rmtree(work)

    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert [line.split()[1] for line in done.stdout.splitlines() if line.startswith("swept")] == stages
