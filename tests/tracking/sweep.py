"""Do one thing to a ledger again and again, with the n-th call that changes the disk failing or killing, for each n.

Run by test_faults.py, under LD_PRELOAD of faults.c: `sweep.py ACTION KIND POINTS FOLDER`. Prints a line for each n.
"""

import random
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

from faults import Plan, forget_locks
from runhive.errors import RunhiveError
from runhive.tracking.ledger.exchange import pull_runs, push_runs
from runhive.tracking.ledger.ledger import open_ledger
from runhive.tracking.ledger.pack import pack
from runhive.tracking.ledger.purge import purge
from runhive.tracking.ledger.run import Event
from runhive.tracking.ledger.verify import verify

OLD, NEW, THEIRS = "20261122-080000-000001", "20261123-142233-7f3a9c", "20261121-000000-000002"
STARTED = Event("started", {"experiment": "ants"})
COMPLETED = Event("finished", {"state": "completed", "attempt": 1})
SECRET = b"hunter2-is-the-password"
State = tuple[frozenset[str], ...]


def act(action: str, root: Path) -> None:
    ledger = open_ledger(root)
    match action:
        case "append":
            ledger.append(NEW, [STARTED, COMPLETED], {"log.txt": b"done"}, {"a" * 64: b"picture"})
        case "push":
            push_runs(None, False, root)
        case "pull":
            pull_runs(None, False, root)
        case "gc":
            pack(ledger.repository)
        case "purge":
            purge(ledger.repository, OLD, "Bee", "a password")


def prepare(action: str, folder: Path) -> None:
    """A ledger, and a hub that has one run which the ledger lacks."""
    git("init", "--quiet", "--bare", str(folder / "hub.git"))
    for name, run_id in (("theirs", THEIRS), ("root", OLD)):
        git("clone", "--quiet", str(folder / "hub.git"), str(folder / name))
        open_ledger(folder / name).append(run_id, [STARTED], {"params.yaml": SECRET if run_id == OLD else b"lr: 1"})
    push_runs(None, False, folder / "theirs")
    git("-C", str(folder / "root"), "remote", "set-url", "origin", "../hub.git")
    if action == "push":
        open_ledger(folder / "root").append(NEW, [STARTED])


def copy(work: Path, name: str) -> Path:
    return Path(shutil.copytree(work / "template", work / name, symlinks=True))


def git(*words: str) -> str:
    return subprocess.run(["git", *words], check=True, capture_output=True, text=True).stdout


def state(folder: Path) -> State:
    """The names of all that the ledger here and the one at the hub hold."""
    return tuple(
        frozenset(git("-C", str(folder / name), "ls-tree", "-r", "--name-only", "refs/runs/main").splitlines())
        for name in ("root", "hub.git")
    )


def within(found: State, old: State, new: State) -> bool:
    """Each ledger is as it was or as it becomes; the stone of a purge differs by its time."""
    bare = [
        [{path for path in ledger if not path.startswith("purged/")} for ledger in one] for one in (found, old, new)
    ]
    return all(here in (before, after) for here, before, after in zip(*bare, strict=True))


def check(action: str, folder: Path, status: int, kill: bool, old: State, new: State) -> None:
    """Raise AssertionError unless the state is the old or the new one, and all goes on without a hand's help."""
    forget_locks(folder)
    found = state(folder)
    assert status in ((0, 3, -9) if kill else (0, 3)), f"ended with {status}"
    assert within(found, old, new), f"neither old nor new: {found}"
    assert status != 0 or action == "gc" or within(found, new, new), "acknowledged, yet not there"
    root = folder / "root"
    assert verify(open_ledger(root).repository).problems == () or action == "append"
    act(action, root) if action != "purge" else finish_purge(root)
    assert within(state(folder), new, new), "it cannot be done again"
    open_ledger(root).append("20261125-000000-000003", [STARTED])
    assert "error" not in git("-C", str(root), "fsck", "--full", "--no-dangling")


def finish_purge(root: Path) -> None:
    try:
        act("purge", root)
    except RunhiveError as error:
        assert "was purged" in str(error)
    content = subprocess.run(
        ["git", "-C", root, "cat-file", "--batch-all-objects", "--batch"], check=True, capture_output=True
    ).stdout
    assert SECRET not in content, "what was purged is still here"


def main(action: str, kind: str, points: int, work: Path) -> None:
    plan = Plan()
    prepare(action, work / "template")
    old = state(work / "template")
    done = copy(work, "done")
    assert plan.attempt(lambda: act(action, done / "root"), done / "root") == 0
    total, new = plan.count, state(done)
    numbers = range(1, total + 1) if points == 0 else sorted(random.sample(range(1, total + 1), min(points, total)))
    for number in numbers:
        folder = copy(work, "try")
        status = plan.attempt(partial(act, action, folder / "root"), folder / "root", number, kind == "kill")
        try:
            check(action, folder, status, kind == "kill", old, new)
        except AssertionError as error:
            sys.exit(f"{action}, call {number} of {total}, {kind}: {error}")
        shutil.rmtree(folder)
        print(number, status, flush=True)
    print("swept", len(numbers), "of", total)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), Path(sys.argv[4]))
