"""What a runner would check out: the branch here, if GitHub has all of it."""

from dataclasses import dataclass

import pygit2

from runhive.errors import RunhiveError
from runhive.mistakes import one_line
from runhive.tracking.git import run_git
from runhive.tracking.repository import printable

ORIGIN = "origin"
SHOWN = 3


@dataclass(frozen=True)
class Pushed:
    """A branch and its last commit, the same here and in the remote."""

    branch: str
    commit: str


def pushed_branch(repository: pygit2.Repository) -> Pushed:
    """Return the branch of HEAD. Raises RunhiveError where the remote has not all that is here."""
    if repository.head_is_unborn:
        raise RunhiveError("there is no commit yet: commit and push first")
    if repository.head_is_detached:
        raise RunhiveError("HEAD is on no branch, and GitHub starts branches: run `git switch -c NAME` and push it")
    _refuse_changes(repository)
    branch, commit = repository.head.shorthand, str(repository.head.target)
    there = _tip(repository, branch)
    if there is None:
        raise RunhiveError(f"{ORIGIN} has no branch {branch}: run `git push -u {ORIGIN} {branch}`")
    if there != commit:
        raise RunhiveError(
            f"{branch} is at {commit[:8]} here and at {there[:8]} in {ORIGIN}: run `git push`, or `git pull --rebase` "
            "where that is ahead"
        )
    return Pushed(branch, commit)


def _refuse_changes(repository: pygit2.Repository) -> None:
    changed = sorted(one_line(printable(path)) for path in repository.status(untracked_files="no"))
    if changed:
        more = f" and {len(changed) - SHOWN} more" if len(changed) > SHOWN else ""
        raise RunhiveError(
            f"{', '.join(changed[:SHOWN])}{more} differ from HEAD, and a runner gets what is committed: commit and "
            "push, or `git restore` them; parameters can also be given with -S"
        )


def _tip(repository: pygit2.Repository, branch: str) -> str | None:
    done = run_git(repository, "ls-remote", ORIGIN, f"refs/heads/{branch}")
    if done.returncode != 0:
        said = one_line((done.stderr.strip().splitlines() or ["no reason"])[-1])
        raise RunhiveError(f"{ORIGIN} does not answer ({said}): see `git ls-remote {ORIGIN}`")
    return done.stdout.split()[0] if done.stdout.strip() else None
