"""The user's own git, for what libgit2 lacks: credentials and proxies of a remote, packing."""

import os
import subprocess

import pygit2

from runhive.errors import RunhiveError

Done = subprocess.CompletedProcess[str]
ASKING = {"GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C", "LANGUAGE": "C"}  # asks nobody, and speaks English
ELSEWHERE = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY")  # set in a hook


def run_git(repository: pygit2.Repository, *words: str, given: str = "") -> Done:
    """Run git in the working tree of *repository*. Raises RunhiveError where there is no git."""
    surroundings = {name: value for name, value in os.environ.items() if name not in ELSEWHERE}
    try:
        return subprocess.run(
            ["git", "-C", repository.workdir, *words],
            env=surroundings | ASKING, input=given, capture_output=True, text=True, errors="replace",
        )  # fmt: skip
    except FileNotFoundError as error:
        raise RunhiveError("git is not installed: install it") from error


def git(repository: pygit2.Repository, *words: str, given: str = "") -> str:
    """Run git and return what it prints. Raises RunhiveError with git's reason."""
    done = run_git(repository, *words, given=given)
    if done.returncode != 0:
        said = (done.stderr.strip().splitlines() or ["no reason"])[-1]
        raise RunhiveError(f"git {words[0]} ended with {done.returncode} ({said}): free the disk or mend permissions")
    return done.stdout
