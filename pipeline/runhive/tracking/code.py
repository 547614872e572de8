"""The code that a run was made with: its commit and the patch of what was not committed, and two of them compared."""

import os
import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from runhive.errors import RunhiveError
from runhive.mistakes import one_line
from runhive.tracking.ledger.ledger import Ledger
from runhive.tracking.ledger.run import Run
from runhive.tracking.repository import RECORDED_APART, common_folder, open_repository

PATCH = "changes.patch"
OBJECT_ID = re.compile(r"[0-9a-f]{40}")


def base_of(root: Path, run: Run) -> str:
    """Return the commit of *run*, or its tree where the commit is gone.

    Raises RunhiveError where this clone has neither.
    """
    repository = open_repository(root)
    known = [name for part in ("commit", "tree") if isinstance(name := run.code.get(part), str)]
    for name in known:
        if OBJECT_ID.fullmatch(name) and name in repository:
            return name
    if not known:
        raise RunhiveError(f"run {run.run_id} names no commit: it was made before the first one, or not from Git")
    short = one_line(known[0])[:40]
    raise RunhiveError(
        f"commit {short[:8]} of run {run.run_id} is not in this clone, nor is its tree: run `git fetch origin {short}`"
    )


def caveats(ledger: Ledger, run: Run) -> Iterator[str]:
    """Yield, a line each, what commit and patch do not bring back of the code of *run*."""
    told = run.code.get("patch")
    patch = told if isinstance(told, dict) else {}
    if run.code.get("dirty") and ledger.file(run.run_id, PATCH) is None:
        yield "it had uncommitted changes that the ledger does not keep"
    if patch.get("masked"):
        yield "a secret in its patch is masked"
    for key, said in (("left_out", "changes too large to keep"), ("untracked", "files that Git does not track")):
        names = patch.get(key) or run.code.get(key)
        if isinstance(names, list) and names:
            more = f" and {len(names) - 3} more" if len(names) > 3 else ""
            yield f"{said}: {', '.join(one_line(str(name))[:80] for name in names[:3])}{more}"


def diff(ledger: Ledger, root: Path, before: Run, after: Run, stat: bool = False) -> bytes:
    """Return `git diff` from the code of *before* to that of *after*, without what a run keeps apart.

    Raises RunhiveError where the code of one of them is not here.
    """
    objects = common_folder(open_repository(root)) / "objects"
    with tempfile.TemporaryDirectory() as scratch:
        # The two trees are written beside the repository, not into it.
        own = {"GIT_OBJECT_DIRECTORY": scratch, "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(objects)}
        trees = [_tree(ledger, root, run, own | {"GIT_INDEX_FILE": f"{scratch}/index"}) for run in (before, after)]
        apart = [f":(exclude,glob)**/{name}" for name in RECORDED_APART]
        form = ["--stat=100"] if stat else ["--patch"]
        return _git(root, own, "diff", "--no-color", "--no-ext-diff", "--no-textconv", *form, *trees, "--", ".", *apart)


def apply_patch(root: Path, patch: bytes, run: Run) -> None:
    """Apply the patch of *run* to the working tree at *root*. Raises RunhiveError where it does not fit."""
    _applied(root, {}, patch, run)


def _tree(ledger: Ledger, root: Path, run: Run, environment: Mapping[str, str]) -> str:
    """Write the tree of the run's code and return its name."""
    _git(root, environment, "read-tree", base_of(root, run))
    patch = ledger.file(run.run_id, PATCH)
    if patch:
        _applied(root, environment, patch, run, "--cached")
    return _git(root, environment, "write-tree").decode().strip()


def _applied(root: Path, environment: Mapping[str, str], patch: bytes, run: Run, *how: str) -> None:
    try:
        _git(root, environment, "apply", "--whitespace=nowarn", *how, "-", stdin=patch)
    except RunhiveError as error:
        raise RunhiveError(f"{PATCH} of run {run.run_id} does not apply to its commit ({error})") from error


def _git(root: Path, environment: Mapping[str, str], *words: str, stdin: bytes = b"") -> bytes:
    """Run git in *root* and return what it prints. Raises RunhiveError with the last line of what it says."""
    done = subprocess.run(
        ["git", "-C", root, *words], input=stdin, capture_output=True, env={**os.environ, **environment},
        check=False,
    )  # fmt: skip
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip().splitlines() or ["no reason given"]
        raise RunhiveError(f"git {words[0]}: {one_line(said[-1])}")
    return done.stdout
