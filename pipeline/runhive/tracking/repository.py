"""The Git repository: where its real root is, what state its code is in, what a file was at a commit."""

import os
from pathlib import Path, PurePosixPath
from typing import Any

import pygit2
from pygit2.enums import FileMode

from runhive.errors import RunhiveError

RECORDED_APART = ("dvc.lock", "params.yaml", "results/metrics.json")  # a run keeps these, so they are not dirt
MAIN_BRANCHES = ("refs/heads/main", "refs/heads/master", "refs/remotes/origin/main", "refs/remotes/origin/master")
CHANGED_PATHS = 50  # listed in a run's record; more tell nobody more


def open_repository(root: Path) -> pygit2.Repository:
    """Open the repository that holds the folder *root*.

    Raises RunhiveError where there is none, and for what cannot be used: bare, SHA-256 and reftable repositories,
    and those of another user.
    """
    found = pygit2.discover_repository(str(root))
    if found is None:
        raise RunhiveError(
            f"{root} is not in a Git repository: go to your project's folder, or start one here with `git init`"
        )
    try:
        repository = pygit2.Repository(found)
    except pygit2.GitError as error:
        raise RunhiveError(f"{root}: {_refusal(str(error))}") from error
    if repository.workdir is None:
        raise RunhiveError(f"{root} is a bare Git repository: work in a clone of it")
    return repository


def _refusal(reason: str) -> str:
    if "object format" in reason or "objectformat" in reason:
        return "SHA-256 repositories cannot be read: use one made with `git init --object-format=sha1`"
    if "refstorage" in reason:
        return "reftable repositories cannot be read: run `git refs migrate --ref-format=files`"
    if "not owned" in reason:
        return "the Git repository is another user's: run `git config --global --add safe.directory` with its path"
    return f"the Git repository cannot be opened ({reason})"


def main_root() -> Path:
    """Return the root of the main working tree of the real repository.

    In a DVC temporary workspace, a repository of its own, DVC names the real one in DVC_ROOT. A linked worktree
    has its state files and the ledger in common with the main one; where that is bare, it keeps its own state files.
    """
    repository = open_repository(Path(os.environ.get("DVC_ROOT") or Path.cwd()))
    main = pygit2.Repository(str(common_folder(repository)))
    return Path(main.workdir or repository.workdir)


def common_folder(repository: pygit2.Repository) -> Path:
    """Return the Git folder that all worktrees of *repository* have in common."""
    folder = Path(repository.path)
    pointer = folder / "commondir"
    return (folder / pointer.read_text().strip()).resolve() if pointer.exists() else folder


def code_state(root: Path) -> dict[str, Any]:
    """Describe the code in the working tree: commit, tree, branch, and what differs from them in tracked files.

    `commit` and `tree` are None before the first commit, `branch` when HEAD is detached. Files that
    a run keeps by itself, such as `params.yaml` and `dvc.lock`, do not make it dirty.
    """
    repository = open_repository(root)
    head = _head(repository)
    branch = repository.references["HEAD"].target
    changed = sorted(printable(path) for path in repository.status(untracked_files="no") if not recorded_apart(path))
    return {
        "commit": str(head.id) if head else None,
        "tree": str(head.tree_id) if head else None,
        "branch": branch.removeprefix("refs/heads/") if isinstance(branch, str) else None,
        "dirty": bool(changed),
        "changed": changed[:CHANGED_PATHS],
    }


def baseline_commit(root: Path) -> str | None:
    """Return the commit that the working tree is compared with: where its branch left `main`, or HEAD on `main`.

    `master`, `origin/main` and `origin/master` stand in for `main`, HEAD for all of them. None before the first
    commit, and where HEAD has no ancestor in common with `main`, as in a shallow clone.
    """
    repository = open_repository(root)
    head = _head(repository)
    if head is None:
        return None
    for name in MAIN_BRANCHES:
        if reference := repository.references.get(name):
            base = repository.merge_base(head.id, reference.peel(pygit2.Commit).id)
            return str(base) if base else None
    return str(head.id)


def file_at(root: Path, commit: str, path: str) -> bytes | None:
    """Return the bytes of *path*, relative to the repository's root, at *commit*; None where either is not here."""
    try:
        entry = open_repository(root)[commit].peel(pygit2.Tree)[path]
    except KeyError:
        return None
    is_file = entry.filemode in (FileMode.BLOB, FileMode.BLOB_EXECUTABLE)
    return entry.data if isinstance(entry, pygit2.Blob) and is_file else None


def _head(repository: pygit2.Repository) -> pygit2.Commit | None:
    return None if repository.head_is_unborn else repository.head.peel(pygit2.Commit)


def recorded_apart(path: str) -> bool:
    """Say whether a run keeps *path* by itself, so that a change of it is no dirt."""
    return any(PurePosixPath(path).match(name) for name in RECORDED_APART)


def printable(path: str) -> str:
    """Return *path* without the lone surrogates that stand for bytes that are not UTF-8: JSON cannot hold them."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
