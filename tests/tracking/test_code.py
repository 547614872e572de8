"""The code of runs compared: commits, uncommitted changes, and what is said where they are not here."""

from collections.abc import Callable
from pathlib import Path

import pytest

from runhive.errors import RunhiveError
from runhive.tracking.changes import PATCH, uncommitted
from runhive.tracking.code import caveats, diff
from runhive.tracking.ledger.ledger import Ledger
from runhive.tracking.ledger.run import Event, Run
from runhive.tracking.repository import code_state

Git = Callable[..., str]


def add_run(ledger: Ledger, repository: Path, number: int) -> Run:
    """A run of the code as it is in the working tree."""
    patch, told = uncommitted(repository)
    run_id = f"20261123-1422{number:02d}-7f3a9c"
    files = {PATCH: patch} if patch else {}
    ledger.append(run_id, [Event("started", {"code": code_state(repository) | told})], files)
    return ledger.run(run_id)


def objects(git: Git, repository: Path) -> str:
    return git(repository, "count-objects", "-v")


def test_commits_and_uncommitted_changes_are_in_the_diff(ledger: Ledger, repository: Path, git: Git) -> None:
    first = add_run(ledger, repository, 1)
    (repository / "model.py").write_text("layers = 34\n")
    git(repository, "commit", "-qam", "second")
    (repository / "model.py").write_text("layers = 34\nwidth = 2\n")
    second = add_run(ledger, repository, 2)
    git(repository, "checkout", "-q", "model.py")
    before = objects(git, repository)

    said = diff(ledger, repository, first, second).decode()
    assert [line for line in said.splitlines() if line[:1] in "+-" and line[:3] not in ("+++", "---")] == [
        "-layers = 18",
        "+layers = 34",
        "+width = 2",
    ]
    assert objects(git, repository) == before, "nothing is written into the repository"
    assert git(repository, "status", "--porcelain") == ""


def test_binary_changes_apply_too(ledger: Ledger, repository: Path, git: Git) -> None:
    (repository / "image.png").write_bytes(bytes(range(256)))
    git(repository, "add", ".")
    git(repository, "commit", "-qm", "image")
    first = add_run(ledger, repository, 1)
    (repository / "image.png").write_bytes(bytes(reversed(range(256))))

    assert b"image.png" in diff(ledger, repository, first, add_run(ledger, repository, 2), stat=True)


def test_the_same_code_has_no_diff_whatever_its_commit(ledger: Ledger, repository: Path, git: Git) -> None:
    (repository / "model.py").write_text("layers = 50\n")
    dirty = add_run(ledger, repository, 1)
    git(repository, "commit", "-qam", "now committed")

    assert diff(ledger, repository, dirty, add_run(ledger, repository, 2)) == b""


def test_files_that_a_run_keeps_apart_are_no_code(ledger: Ledger, repository: Path, git: Git) -> None:
    first = add_run(ledger, repository, 1)
    (repository / "params.yaml").write_text("lr: 1\n")
    git(repository, "add", ".")
    git(repository, "commit", "-qm", "params")

    assert diff(ledger, repository, first, add_run(ledger, repository, 2)) == b""


def test_a_tree_stands_in_for_a_commit_that_is_gone(ledger: Ledger, repository: Path, git: Git) -> None:
    """As after a squash merge of a branch that was deleted: another commit, the same tree."""
    first = add_run(ledger, repository, 1)
    (repository / "model.py").write_text("layers = 34\n")
    git(repository, "commit", "-qam", "on a branch")
    run = add_run(ledger, repository, 2)
    ledger.append(run.run_id, [Event("started", {"code": run.code | {"commit": "1" * 40}})])

    assert b"+layers = 34" in diff(ledger, repository, first, ledger.run(run.run_id))


@pytest.mark.parametrize("commit", ["1" * 40, "HEAD", "--output=x", "\x1b[31m"])
def test_a_commit_that_is_not_here_is_told(commit: str, ledger: Ledger, repository: Path) -> None:
    run = add_run(ledger, repository, 1)
    ledger.append(run.run_id, [Event("started", {"code": {"commit": commit, "tree": "2" * 40}})])
    with pytest.raises(RunhiveError, match="is not in this clone, nor is its tree: run `git fetch origin") as caught:
        diff(ledger, repository, run, ledger.run(run.run_id))

    assert str(caught.value).isprintable()
    assert not (repository / "x").exists()


def test_a_run_without_a_commit_is_told(ledger: Ledger, repository: Path) -> None:
    run = add_run(ledger, repository, 1)
    ledger.append(run.run_id, [Event("started", {"code": {}})])
    with pytest.raises(RunhiveError, match="names no commit"):
        diff(ledger, repository, run, ledger.run(run.run_id))


def test_a_patch_that_does_not_fit_is_told(ledger: Ledger, repository: Path) -> None:
    run = add_run(ledger, repository, 1)
    ledger.append(run.run_id, [], {PATCH: b"--- a/gone.py\n+++ b/gone.py\n@@ -1 +1 @@\n-a\n+b\n"})
    with pytest.raises(RunhiveError, match="does not apply to its commit"):
        diff(ledger, repository, run, run)


def test_what_the_diff_cannot_show_is_said(ledger: Ledger, repository: Path) -> None:
    (repository / "new\x1b.py").write_text("x")
    run = add_run(ledger, repository, 1)
    ledger.append(run.run_id, [Event("started", {"code": run.code | {"dirty": True}})])

    said = list(caveats(ledger, ledger.run(run.run_id)))
    assert said == [
        "it had uncommitted changes that the ledger does not keep",
        "files that Git does not track: new\\x1b.py",
    ]
