"""What a run on a runner of GitHub tells those who follow it from elsewhere: its last lines and numbers.

GitHub serves a job's log when the job has ended. So a process beside the run writes a small object into the DVC remote,
`runhive/live/<number of the workflow run>.json`; it only reads what the run leaves in its outbox, and dies with it.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

import runhive
from runhive.files import write_atomic
from runhive.tracking.ledger.run import RUN_ID as RUN_ID_PATTERN
from runhive.tracking.secrets import masked_tree
from runhive.tracking.storage.remote_file import has_default_remote

FOLDER = "live"  # of the DVC remote
NUMBERS_FILE = "RUNHIVE_NUMBERS"  # names the file of the last numbers to the processes that train
TELLER = "runhive.tracking.life.teller"
END_SECONDS = 10.0  # for the last one
LINES = 30
LINE = 300  # characters of one
MOST_NUMBERS = 50
MOST_BYTES = 64_000  # of what is read


class Broadcast(BaseModel):
    """What is told. `printed` counts all lines of this phase, the last of which are `lines`. Strangers may write it."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    version: Annotated[int, Field(ge=1, le=1)] = 1
    run_id: Annotated[str, StringConstraints(pattern=f"^{RUN_ID_PATTERN.pattern}$")]
    attempt: Annotated[int, Field(ge=1)]
    phase: Annotated[str, StringConstraints(max_length=50)]
    time: AwareDatetime
    printed: Annotated[int, Field(ge=0)]
    lines: Annotated[list[Annotated[str, StringConstraints(max_length=LINE)]], Field(max_length=LINES)]
    metrics: Annotated[dict[str, float], Field(max_length=MOST_NUMBERS)]


def object_name(workflow_run: int | str) -> str:
    """Return where the word of a workflow run's training lies in a DVC remote."""
    return f"{FOLDER}/{workflow_run}.json"


def parse(content: bytes) -> Broadcast | None:
    """Return what *content* tells; None where it is torn, too large, of another version or a stranger's."""
    try:
        return Broadcast.model_validate_json(content) if len(content) < MOST_BYTES else None
    except ValidationError:
        return None


@contextmanager
def broadcasting(root: Path, run_id: str, attempt: int, phase: str) -> Iterator[None]:
    """Tell of the run during the block, where it is on a runner of GitHub and there is a default DVC remote."""
    workflow_run = os.environ.get("GITHUB_RUN_ID", "")
    if os.environ.get("GITHUB_ACTIONS") != "true" or not workflow_run.isdecimal() or not has_default_remote(root):
        yield
        return
    numbers = root / ".runhive" / "numbers" / f"{run_id}.json"
    code = os.pathsep.join(filter(None, [str(Path(runhive.__file__).parents[1]), os.environ.get("PYTHONPATH")]))
    os.environ[NUMBERS_FILE] = str(numbers)
    teller = subprocess.Popen(
        [sys.executable, "-m", TELLER, str(root), run_id, str(attempt), phase, workflow_run],
        env=os.environ | {"PYTHONPATH": code}, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield
    finally:
        _end(teller)
        del os.environ[NUMBERS_FILE]
        numbers.unlink(missing_ok=True)


def note_numbers(numbers: Mapping[str, float]) -> None:
    """Leave the last numbers of the run that this process belongs to for those who follow it, if it is told of."""
    if path := os.environ.get(NUMBERS_FILE):
        write_atomic(Path(path), json.dumps(masked_tree(numbers)).encode())


def _end(teller: subprocess.Popen[bytes]) -> None:
    """Let it tell the end; its sign is a byte, since a forked worker may keep the pipe open."""
    assert teller.stdin is not None
    with suppress(BrokenPipeError), teller.stdin as sign:
        sign.write(b"\n")
    try:
        teller.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        teller.kill()
        teller.wait()
