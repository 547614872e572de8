"""kill -9 at random points of append, push, pull and gc: what was acknowledged is there, and nobody unlocks anything.

`RUNHIVE_LONG=1 pytest tests/tracking/test_kills.py` kills 200 times, else 12.
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from runhive.tracking.ledger.exchange import pull_runs, push_runs
from runhive.tracking.ledger.ledger import open_ledger
from runhive.tracking.ledger.run import Event, run_folder
from runhive.tracking.ledger.verify import verify

Git = Callable[..., str]

KILLS = 200 if os.environ.get("RUNHIVE_LONG") else 12
ACTIONS = ("append", "push", "append", "pull", "append", "gc")
WORKER = """
import sys, time
from itertools import count, cycle
from pathlib import Path
from runhive.tracking.ledger.batch import batch_name, write_batch
from runhive.tracking.ledger.exchange import pull_runs, push_runs
from runhive.tracking.ledger.ledger import open_ledger
from runhive.tracking.ledger.pack import pack
from runhive.tracking.ledger.run import Event, run_folder
root, run_id, actions = Path(sys.argv[1]), sys.argv[2], sys.argv[3:]
ledger, numbers = open_ledger(root), count()
def append():
    number = next(numbers)
    added = ledger.append(run_id, [Event("counted", {"number": number})], {"log.txt": b"%d" % number})
    return f"{run_folder(run_id)}/{batch_name(added[0].order, write_batch(added))}"
does = {"append": append, "push": lambda: push_runs(None, False, root), "pull": lambda: pull_runs(None, False, root),
        "gc": lambda: pack(ledger.repository)}
for action in cycle(actions):
    print("begin", action, flush=True)
    start = time.monotonic()
    said = does[action]()
    print("end", action, time.monotonic() - start, said, sep="\\t", flush=True)
"""


@dataclass
class Told:
    """What the workers acknowledged: the paths of events, those of them that were pushed, how long an action takes."""

    appended: list[str] = field(default_factory=list)
    pushed: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=lambda: dict.fromkeys(ACTIONS, 0.05))

    def hear(self, line: str) -> None:
        match line.split("\t"):
            case ["end", action, seconds, said]:
                self.seconds[action] = float(seconds)
                self.appended += [said] if action == "append" else []
                self.pushed = [*self.appended] if action == "push" else self.pushed


def work_until_killed(root: Path, run_id: str, action: str, told: Told) -> None:
    """Let a worker do all in turn, and kill it with its children at a random moment of *action*."""
    turn = random.randrange(len(ACTIONS))
    words = [sys.executable, "-c", WORKER, root, run_id, *ACTIONS[turn:], *ACTIONS[:turn]]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, start_new_session=True) as worker:
        assert worker.stdout is not None
        for line in worker.stdout:
            told.hear(line.rstrip("\n"))
            if line == f"begin {action}\n":
                time.sleep(random.uniform(0, 1.2 * told.seconds[action]))
                os.killpg(worker.pid, signal.SIGKILL)
    assert worker.returncode == -signal.SIGKILL


def test_no_kill_loses_what_was_acknowledged_or_leaves_a_lock(tmp_path: Path, git: Git) -> None:
    hub, mine, theirs = (tmp_path / name for name in ("hub.git", "mine", "theirs"))
    git(tmp_path, "init", "--quiet", "--bare", str(hub))
    for clone in (mine, theirs):
        git(tmp_path, "clone", "--quiet", str(hub), str(clone))
    told = Told()
    ids = [f"20261123-142233-{number:06x}" for number in range(KILLS)]
    for number, run_id in enumerate(ids):
        open_ledger(theirs).append(f"20261122-080000-{number:06x}", [Event("counted", {"number": 0})])
        push_runs(None, False, theirs)
        work_until_killed(mine, run_id, ACTIONS[number % len(ACTIONS)], told)
        assert {*told.appended} <= paths(mine, git)
        assert {*told.pushed} <= paths(hub, git)

    open_ledger(mine).append("20261125-000000-000003", [Event("counted", {"number": 0})])
    push_runs(None, False, mine)
    pull_runs(None, False, theirs)

    assert open_ledger(mine).tip() == open_ledger(theirs).tip() == git(hub, "rev-parse", "refs/runs/main")
    assert told.appended and told.pushed
    for run in open_ledger(mine).runs():
        assert [event.data["number"] for event in run.events] == [*range(len(run.events))]
        known = sum(path.startswith(run_folder(run.run_id)) for path in told.appended)
        assert len(run.events) in (known, known + 1), "more than the one append that was cut off"
    for clone in (mine, theirs):
        assert verify(open_ledger(clone).repository).problems == ()
        assert len(open_ledger(clone).runs()) > KILLS
    for folder in (mine, theirs, hub):
        assert "error" not in git(folder, "fsck", "--full", "--no-dangling")
        assert [path for path in folder.rglob("*.lock") if path.parent.name != "runhive"] == []


def paths(folder: Path, git: Git) -> set[str]:
    """The names of all that the ledger there holds."""
    if not git(folder, "for-each-ref", "refs/runs/main"):
        return set()
    return {*git(folder, "ls-tree", "-r", "--name-only", "refs/runs/main").splitlines()}
