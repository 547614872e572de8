"""Bring what a run made into the working tree as if it was made here: dvc.lock, params.yaml, the final numbers."""

import hashlib
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pygit2
from pygit2.enums import FileStatus
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from runhive.errors import RunhiveError
from runhive.files import write_atomic
from runhive.tracking.final_numbers import final_numbers
from runhive.tracking.ledger.ledger import Ledger
from runhive.tracking.ledger.run import Run
from runhive.tracking.secrets import MASK

LOCK, PARAMS, METRICS = "dvc.lock", "params.yaml", "results/metrics.json"
WHOLE_LOCK = "whole.dvc.lock"  # with the stages that come after the run's own, as a collector keeps it
CLEAN = (FileStatus.CURRENT, FileStatus.IGNORED)


def apply_run(ledger: Ledger, repository: pygit2.Repository, run: Run) -> list[str]:
    """Write the files of *run* into the working tree of *repository*, and return the paths of those that changed.

    Raises RunhiveError, before anything is written, where one of them has changes that are not committed, and for a run
    that did not complete or keeps no lock.
    """
    if run.state != "completed":
        raise RunhiveError(f"run {run.run_id} is {run.state}: only a completed one can be applied")
    root = Path(repository.workdir)
    files = _files(ledger, root, run)
    changed = [path for path, content in files.items() if not _is(root / path, content)]
    if dirty := [path for path in changed if _is_dirty(repository, path)]:
        raise RunhiveError(
            f"{', '.join(dirty)}: has changes that are not committed: commit or stash them, then try again"
        )
    for path in changed:
        write_atomic(root / path, files[path])
    return changed


def _files(ledger: Ledger, root: Path, run: Run) -> dict[str, bytes]:
    params = ledger.file(run.run_id, PARAMS)
    lock = ledger.file(run.run_id, WHOLE_LOCK) or ledger.file(run.run_id, LOCK)
    if params is None or lock is None:
        raise RunhiveError(f"run {run.run_id} keeps no {LOCK if params else PARAMS}: only runs of the pipeline have it")
    if MASK.encode() in params:
        raise RunhiveError(f"{PARAMS} of run {run.run_id} held a secret, which is masked: write it by hand")
    last = {event.type: event.data["metrics"] for event in run.events if event.type in ("evaluated", "exported")}
    numbers = final_numbers(last.values())
    stages = _stages(lock, f"the {LOCK} that run {run.run_id} keeps")
    _check_numbers(stages, numbers, run)
    here = root / LOCK
    others = _stages(here.read_bytes(), LOCK) if here.exists() else {}
    return {
        PARAMS: params,
        LOCK: _written({**stages, **{name: one for name, one in others.items() if name not in stages}}),
        METRICS: numbers,
    }


def _stages(lock: bytes, where: str) -> dict[str, Any]:
    try:
        stages = YAML(typ="safe").load(lock)["stages"]
    except (YAMLError, KeyError, TypeError) as error:
        raise RunhiveError(f"{where} is damaged: run `dvc repro`") from error
    if not isinstance(stages, dict) or not all(isinstance(stage, dict) for stage in stages.values()):
        raise RunhiveError(f"{where} is damaged: run `dvc repro`")
    return stages


def _check_numbers(stages: Mapping[str, Any], numbers: bytes, run: Run) -> None:
    """DVC would take numbers that the lock does not name for a change, and run the stage again."""
    outs = [out for stage in stages.values() for out in stage.get("outs", ()) if isinstance(out, dict)]
    named = [out.get("md5") for out in outs if out.get("path") == METRICS]
    if named and named != [hashlib.md5(numbers, usedforsecurity=False).hexdigest()]:
        raise RunhiveError(f"run {run.run_id} keeps a {LOCK} with other numbers than its own: reproduce it instead")


def _written(stages: Mapping[str, Any]) -> bytes:
    """As DVC writes it."""
    text = io.StringIO()
    YAML().dump({"schema": "2.0", "stages": dict(stages)}, text)
    return text.getvalue().encode()


def _is(path: Path, content: bytes) -> bool:
    return path.is_file() and path.read_bytes() == content


def _is_dirty(repository: pygit2.Repository, path: str) -> bool:
    try:
        return repository.status_file(path) not in CLEAN
    except KeyError:  # neither here nor in the commit
        return False
