"""A working tree of its own for the code and the parameters of a run: made, used by one process, removed."""

import io
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from runhive.errors import RunhiveError
from runhive.mistakes import one_line
from runhive.tracking.code import PATCH, apply_patch, base_of
from runhive.tracking.ledger.ledger import Ledger
from runhive.tracking.ledger.lock import file_lock
from runhive.tracking.ledger.run import Run
from runhive.tracking.storage.dvc_store import Store
from runhive.tracking.storage.outputs import DATA_STAGE, LOCK

PARAMS = "params.yaml"
FOLDER = Path(".runhive", "reproduce")


@contextmanager
def checked_out(ledger: Ledger, root: Path, run: Run, keep: bool) -> Iterator[Path]:
    """Check the code and parameters of *run* out in a folder below *root*, and remove it at the end.

    With *keep* it stays until the next time.
    The folder shares the ledger and the DVC cache with the repository. What killed processes left is cleared first.
    Raises RunhiveError where the run's code, parameters or lock are not here, and where another process is at it.
    """
    files = {name: ledger.file(run.run_id, name) for name in (PARAMS, LOCK)}
    if absent := [name for name, content in files.items() if content is None]:
        raise RunhiveError(f"run {run.run_id} keeps no {absent[0]}: only runs of the pipeline can be reproduced")
    base = base_of(root, run)
    folder = root / FOLDER / run.run_id
    _clear_abandoned(root)
    with file_lock(folder.with_suffix(".lock"), wait=0):
        try:
            _git(root, "worktree", "add", "--quiet", "--detach", str(folder), _as_commit(root, base, run))
            if patch := ledger.file(run.run_id, PATCH):
                apply_patch(folder, patch, run)
            (folder / PARAMS).write_bytes(files[PARAMS] or b"")
            (folder / LOCK).write_bytes(_data_only(files[LOCK] or b"", run))
            _share_cache(root, folder)
            yield folder
        finally:
            if not keep:
                _remove(root, folder)


def _clear_abandoned(root: Path) -> None:
    """Remove the folders of processes that were killed, and those that were kept."""
    for folder in (root / FOLDER).glob("*/"):
        with suppress(RunhiveError), file_lock(folder.with_suffix(".lock"), wait=0):  # one at work holds its lock
            _remove(root, folder)


def _as_commit(root: Path, base: str, run: Run) -> str:
    """*base*, or a commit of it where only the tree is left."""
    if _git(root, "cat-file", "-t", base) == "commit":
        return base
    author = ("-c", "user.name=runhive", "-c", "user.email=runhive@localhost")
    return _git(root, *author, "commit-tree", base, "-m", f"the code of run {run.run_id}")


def _data_only(lock: bytes, run: Run) -> bytes:
    """The lock without the stages from train on: DVC restores what a lock names, and those are to run."""
    try:
        content = YAML(typ="safe").load(lock)
        stages = {name: stage for name, stage in content["stages"].items() if name == DATA_STAGE}
    except (YAMLError, KeyError, TypeError, AttributeError) as error:
        raise RunhiveError(f"the {LOCK} that run {run.run_id} keeps is damaged: it cannot be reproduced") from error
    text = io.StringIO()
    YAML().dump({**content, "stages": stages}, text)
    return text.getvalue().encode()


def _share_cache(root: Path, folder: Path) -> None:
    """Let the working tree use the repository's cache and what is said of remotes on this machine alone."""
    local = root / ".dvc" / "config.local"
    if local.exists():
        shutil.copy2(local, folder / ".dvc" / "config.local")
    cache = Store(root).cache_folder
    done = subprocess.run(
        ["dvc", "config", "--quiet", "--local", "cache.dir", str(cache)], cwd=folder, capture_output=True, text=True
    )
    if done.returncode != 0:
        raise RunhiveError(f"dvc config: {one_line((done.stderr.strip().splitlines() or ['failed'])[-1])}")


def _remove(root: Path, folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)
    _git(root, "worktree", "prune")


def _git(root: Path, *words: str) -> str:
    done = subprocess.run(["git", "-C", root, *words], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = done.stderr.strip().splitlines() or ["no reason given"]
        raise RunhiveError(f"git {words[0]}: {one_line(said[-1])}")
    return done.stdout.strip()
