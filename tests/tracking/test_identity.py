"""A run keeps its identity whatever becomes of the commit that it was made on."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from runhive.tracking.ledger.ledger import Ledger, open_ledger

Git = Callable[..., str]


def run_here(folder: Path, *words: str) -> None:
    command = [sys.executable, "-m", "runhive", "run", "--", sys.executable, "-c", "print('on')", *words]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)


def runhive(folder: Path, *words: str) -> str:
    command = [sys.executable, "-m", "runhive", "runs", *words]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout


def waiting_run(folder: Path) -> "subprocess.Popen[str]":
    """A run that goes on until its stdin is closed."""
    command = [sys.executable, "-m", "runhive", "run", "--", "sh", "-c", "echo on; read line; echo over"]
    process = subprocess.Popen(
        command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "on\n"
    return process


def states(folder: Path) -> list[tuple[str, int]]:
    """The state of each run, newest first, and how often it ended."""
    return [(run.state, [event.type for event in run.events].count("finished")) for run in open_ledger(folder).runs()]


@pytest.fixture
def clones(repository: Path, tmp_path: Path, git: Git) -> list[Path]:
    """Two clones of one bare remote."""
    git(tmp_path, "clone", "-q", "--bare", str(repository), "hub.git")
    for name in ("machine", "laptop"):
        git(tmp_path, "clone", "-q", "hub.git", name)
        git(tmp_path / name, "config", "user.name", name)
        git(tmp_path / name, "config", "user.email", f"{name}@hive.example")
    return [tmp_path / "machine", tmp_path / "laptop"]


def commit(git: Git, folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text)
    git(folder, "add", name)
    git(folder, "commit", "-q", "-m", name)


def test_a_squash_merge_orphans_no_run_and_its_tree_still_names_the_code(
    ledger: Ledger, repository: Path, git: Git
) -> None:
    git(repository, "switch", "-q", "-c", "topic")
    commit(git, repository, "a.py", "a = 1\n")
    commit(git, repository, "b.py", "b = 1\n")
    run_here(repository)
    git(repository, "switch", "-q", "main")
    git(repository, "merge", "-q", "--squash", "topic")
    git(repository, "commit", "-q", "-m", "squashed")
    git(repository, "branch", "-q", "-D", "topic")
    git(repository, "reflog", "expire", "--expire=now", "--all")
    git(repository, "gc", "-q", "--prune=now")

    (found,) = open_ledger(repository).runs()
    assert (found.state, found.code["branch"]) == ("completed", "topic")
    assert found.code["tree"] == git(repository, "rev-parse", "HEAD^{tree}")


def test_a_rebase_leaves_the_run_and_its_inputs_are_the_same_again(ledger: Ledger, repository: Path, git: Git) -> None:
    git(repository, "switch", "-q", "-c", "topic")
    commit(git, repository, "a.py", "a = 1\n")
    run_here(repository)
    git(repository, "commit", "-q", "--amend", "-m", "reworded")
    run_here(repository)

    second, first = ledger.runs()
    assert first.code["commit"] != second.code["commit"]
    assert first.input_digest == second.input_digest
    assert {first.state, second.state} == {"completed"}


def test_a_rebase_onto_a_moved_branch_leaves_the_first_run_with_the_code_it_had(
    ledger: Ledger, repository: Path, git: Git
) -> None:
    git(repository, "switch", "-q", "-c", "topic")
    commit(git, repository, "a.py", "a = 1\n")
    before = git(repository, "rev-parse", "HEAD")
    run_here(repository)
    git(repository, "switch", "-q", "main")
    commit(git, repository, "b.py", "b = 1\n")
    git(repository, "switch", "-q", "topic")
    git(repository, "rebase", "-q", "main")
    run_here(repository)

    second, first = ledger.runs()
    assert states(repository) == [("completed", 1), ("completed", 1)]
    assert (first.code["commit"], second.code["commit"]) == (before, git(repository, "rev-parse", "HEAD"))
    assert first.input_digest != second.input_digest, "the code of main is part of it now"
    assert (first.parent, second.parent) == (None, None)


def test_a_laptop_that_looks_at_a_live_run_changes_nothing_of_it_and_sees_its_one_end(clones: list[Path]) -> None:
    machine, laptop = clones
    with waiting_run(machine) as process:
        runhive(machine, "push")
        runhive(laptop, "pull")
        assert "running" in runhive(laptop, "show", "latest")
        runhive(laptop, "tag", "latest", "+watched")
        runhive(laptop, "push")
        process.communicate("\n")
    for clone in (machine, laptop):
        runhive(clone, "push")

    for clone in clones:
        assert states(clone) == [("completed", 1)]
        assert open_ledger(clone).runs()[0].tags == ("watched",)


def test_a_runner_that_vanished_before_its_first_push_leaves_nothing_or_if_it_comes_back_one_lost_run(
    clones: list[Path], tmp_path: Path
) -> None:
    machine, laptop = clones
    with waiting_run(machine) as process:
        process.kill()
    shutil.move(machine, tmp_path / "switched off")
    run_here(laptop)
    runhive(laptop, "push")
    assert states(laptop) == [("completed", 1)]

    shutil.move(tmp_path / "switched off", machine)
    runhive(machine, "push")
    runhive(laptop, "pull")
    for clone in clones:
        assert states(clone) == [("completed", 1), ("lost", 1)]
    assert open_ledger(laptop).runs()[1].heartbeat is not None


@pytest.mark.parametrize("words", [("show", "latest"), ("export", "--csv", "runs.csv"), ("tag", "latest", "+x")])
def test_whichever_command_comes_next_closes_a_run_that_was_killed(
    ledger: Ledger, repository: Path, words: tuple[str, ...]
) -> None:
    with waiting_run(repository) as process:
        process.kill()
    runhive(repository, *words)

    assert states(repository) == [("lost", 1)]


def test_two_branches_at_once_are_two_runs_each_with_its_own_code(ledger: Ledger, repository: Path, git: Git) -> None:
    trees = [repository.parent / name for name in ("left", "right")]
    for tree in trees:
        git(repository, "worktree", "add", "-q", str(tree))
        commit(git, tree, "a.py", f"a = '{tree.name}'\n")
    command = [sys.executable, "-m", "runhive", "run", "--", sys.executable, "-c", "import time; time.sleep(0.5)"]
    processes = [subprocess.Popen(command, cwd=tree, stderr=subprocess.DEVNULL) for tree in trees]
    for process in processes:
        assert process.wait() == 0

    found = {run.code["branch"]: run for run in ledger.runs()}
    assert set(found) == {"left", "right"}
    for tree in trees:
        assert found[tree.name].code["commit"] == git(tree, "rev-parse", "HEAD")
        assert [event.type for event in found[tree.name].events].count("finished") == 1
    assert found["left"].input_digest != found["right"].input_digest


def test_uncommitted_changes_come_back_from_the_patch(ledger: Ledger, repository: Path, git: Git) -> None:
    commit(git, repository, "binary.bin", "x")
    (repository / "model.py").write_bytes(b"layers = 50  # \xff\n")
    (repository / "binary.bin").write_bytes(bytes(range(256)) * 20)
    (repository / "added.py").write_text("new = 1\n")
    git(repository, "add", "added.py")
    (repository / "untracked.py").write_text("other = 1\n")
    run_here(repository)

    (found,) = ledger.runs()
    patch = ledger.file(found.run_id, "changes.patch") or b""
    clean = repository.parent / "clean"
    git(repository, "worktree", "add", "-q", "--detach", str(clean), str(found.code["commit"]))
    subprocess.run(["git", "apply", "--binary"], cwd=clean, input=patch, check=True)
    assert found.code["dirty"]
    assert found.code["untracked"] == ["untracked.py"]
    for name in ("model.py", "binary.bin", "added.py"):
        assert (clean / name).read_bytes() == (repository / name).read_bytes()


def test_a_change_that_is_too_large_is_left_out_by_name(ledger: Ledger, repository: Path, git: Git) -> None:
    commit(git, repository, "large.txt", "x\n")
    (repository / "large.txt").write_text("".join(f"{number}\n" for number in range(200_000)))
    (repository / "model.py").write_text("layers = 50\n")
    run_here(repository)

    (found,) = ledger.runs()
    assert found.code["patch"]["left_out"] == ["large.txt"]
    assert b"+layers = 50" in (ledger.file(found.run_id, "changes.patch") or b"")


def test_a_repository_without_a_commit_has_runs_too(tmp_path: Path, git: Git) -> None:
    git(tmp_path, "init", "-q")
    run_here(tmp_path)

    (found,) = open_ledger(tmp_path).runs()
    assert (found.state, found.code["commit"]) == ("completed", None)
