"""Who fills DVC's cache and who frees it take turns: what is put there stays until something points at it."""

import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from runhive.errors import RunhiveError
from runhive.tracking.ledger.lock import Locked, file_lock
from runhive.tracking.life.process import is_dvc
from runhive.tracking.repository import common_folder, open_repository

WAIT_SECONDS = 5.0  # for those who fill it for a moment


@contextmanager
def filling(root: Path) -> Iterator[None]:
    """Put things into the cache of the repository at *root*, and note within the block what points at them.

    Many may at once. While the cache is being freed, it waits for as long as that takes.
    """
    lock = _lock(root)
    with ExitStack() as stack:
        try:
            stack.enter_context(file_lock(lock, 0, shared=True))
        except Locked as error:
            print(f"waiting for `runhive runs gc`: {error}", file=sys.stderr, flush=True)
            stack.enter_context(file_lock(lock, None, shared=True))
        yield


@contextmanager
def freeing(root: Path) -> Iterator[None]:
    """Let nothing be put into the cache during the block.

    Raises RunhiveError while a command of Runhive or an experiment of DVC fills it, in any workspace.
    """
    with ExitStack() as stack:
        try:
            stack.enter_context(file_lock(_lock(root), WAIT_SECONDS))
        except Locked as error:
            raise RunhiveError("a stage is running here: wait for it to end. Nothing was freed") from error
        _refuse_experiments(root)
        yield


def _lock(root: Path) -> Path:
    return common_folder(open_repository(root)) / "runhive" / "storage.lock"


def _refuse_experiments(root: Path) -> None:
    """Between two stages of an experiment, only the dvc.lock of its own workspace points at what the first made."""
    for file in (root / ".dvc" / "tmp" / "exps" / "run").glob("*/*.json"):
        try:
            told = json.loads(file.read_bytes())
            pid, ended = int(told["pid"]), told["returncode"] is not None
        except (OSError, ValueError, KeyError, TypeError):  # removed meanwhile, or none of DVC's
            continue
        if not ended and is_dvc(pid):
            raise RunhiveError(f"an experiment of DVC is running here (process {pid}): wait for it. Nothing was freed")
