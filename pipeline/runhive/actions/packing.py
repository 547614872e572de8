"""Write the bundle of the runs that this job made, also where training failed."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pygit2

from runhive.actions.bundle import BUNDLE, MODEL_BYTES, ONNX, WORKSPACE, Bundle, BundledFile
from runhive.errors import RunhiveError
from runhive.files import sha256_of, write_atomic
from runhive.tracking.ledger.entry import FILE_BYTES
from runhive.tracking.ledger.folders import read_run, run_folders
from runhive.tracking.ledger.ledger import Ledger
from runhive.tracking.ledger.objects import bytes_of, commit_at, subtree, tree_of
from runhive.tracking.ledger.run import Run, run_folder
from runhive.tracking.repository import code_state
from runhive.tracking.secrets import masked_bytes

SEEN = "refs/runhive/remotes/origin/main"  # the hub's ledger, as it was when the job pulled it
TRAIN_RECORD = Path("models/train.json")


def pack(ledger: Ledger, root: Path, folder: Path, succeeded: bool) -> Bundle:
    """Write the bundle of this workflow run into *folder*, which must be new or empty.

    Where the pipeline did not succeed, what lies in the working tree may be of another run, so it is left out.
    """
    if folder.exists() and any(folder.iterdir()):
        raise RunhiveError(f"{folder} is not empty: name a new folder")
    made = [*_made_here(ledger)]
    main = _main_run(ledger, root, made, succeeded)
    runs = {run.run_id: run for run in [*made, *([main] if main else [])]}
    files = dict(_ledger_files(ledger, list(runs)))
    for path, content in files.items():
        write_atomic(folder / path, content)
    if main:
        _copy_workspace(root, folder, main)
    bundle = Bundle(
        repository=os.environ.get("GITHUB_REPOSITORY", ""),
        commit=code_state(root)["commit"],
        workflow_run=_number("GITHUB_RUN_ID"),
        attempt=_number("GITHUB_RUN_ATTEMPT"),
        run=main.run_id if main else None,
        runs=sorted(runs),
        files=[*_listed(folder)],
    )
    bundle.write(folder / BUNDLE)
    return bundle


def workflow_url() -> str | None:
    """The address of the workflow run that this process belongs to, as `started` events have it."""
    if os.environ.get("GITHUB_ACTIONS") != "true":
        return None
    server, repository, run = (os.environ.get(f"GITHUB_{key}", "") for key in ("SERVER_URL", "REPOSITORY", "RUN_ID"))
    return f"{server}/{repository}/actions/runs/{run}"


def launchers(run: Run) -> set[str]:
    """The addresses of the workflow runs in which the run was started and resumed, as it says."""
    told = [event.data.get("launcher") for event in run.events if event.type in ("started", "resumed")]
    return {str(one["url"]) for one in told if isinstance(one, dict) and one.get("url")}


def _made_here(ledger: Ledger) -> Iterator[Run]:
    """The runs that the hub has not, or has otherwise, and that this workflow run started or resumed."""
    ours, url = tree_of(commit_at(ledger.repository)), workflow_url()
    theirs = {path: folder.id for path, folder in run_folders(tree_of(commit_at(ledger.repository, SEEN)))}
    for path, folder in run_folders(ours):
        if theirs.get(path) != folder.id:
            run = read_run(path, folder)
            if url is None or url in launchers(run):
                yield run


def _main_run(ledger: Ledger, root: Path, made: list[Run], succeeded: bool) -> Run | None:
    """The run whose results lie in the working tree; where the pipeline failed, the last one that it began."""
    record = root / TRAIN_RECORD
    if succeeded and record.exists():
        md5 = hashlib.md5(record.read_bytes(), usedforsecurity=False).hexdigest()
        if found := next((row["run_id"] for row in ledger.rows() if row["record_md5"] == md5), None):
            return ledger.run(found)
    return max(made, key=lambda run: (run.started_at, run.run_id), default=None)


def _ledger_files(ledger: Ledger, run_ids: list[str]) -> Iterator[tuple[str, bytes]]:
    """The events and files of the runs, and the pictures that the hub has not, by their paths in the ledger's tree."""
    tree, seen = tree_of(commit_at(ledger.repository)), tree_of(commit_at(ledger.repository, SEEN))
    for run_id in run_ids:
        yield from contents_of(subtree(tree, run_folder(run_id)), run_folder(run_id))
    for shelf in subtree(tree, "media") or ():
        for entry in shelf if isinstance(shelf, pygit2.Tree) else ():
            path = f"media/{shelf.name}/{entry.name}"
            if isinstance(entry, pygit2.Blob) and not (seen and path in seen):
                yield path, bytes_of(entry)


def contents_of(folder: pygit2.Tree | None, path: str) -> Iterator[tuple[str, bytes]]:
    """All files below the *folder* of a ledger's tree that lies at *path*, by their paths in the tree."""
    for entry in folder or ():
        if isinstance(entry, pygit2.Tree):
            yield from contents_of(entry, f"{path}/{entry.name}")
        elif isinstance(entry, pygit2.Blob):
            yield f"{path}/{entry.name}", bytes_of(entry)


def _copy_workspace(root: Path, folder: Path, main: Run) -> None:
    """The model, where it is that of *main*, and what belongs to it."""
    filed = main.files.get(ONNX)
    onnx = root / ONNX
    if filed is None or not onnx.exists() or sha256_of(onnx) != filed["sha256"]:
        return
    for path, name in WORKSPACE.items():
        source = root / path
        if source.exists() and source.stat().st_size <= (MODEL_BYTES if path == ONNX else FILE_BYTES):
            content = source.read_bytes()
            write_atomic(folder / name, masked_bytes(content) if path == "params.yaml" else content)


def _listed(folder: Path) -> Iterator[BundledFile]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            name = path.relative_to(folder).as_posix()
            yield BundledFile(path=name, bytes=path.stat().st_size, sha256=sha256_of(path))


def _number(name: str) -> int | None:
    text = os.environ.get(name, "")
    return int(text) if text.isdecimal() else None
