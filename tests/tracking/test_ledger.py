"""The ledger: what an append promises, whoever else writes and whatever is killed."""

import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from runhive.errors import RunhiveError
from runhive.tracking.ledger.ledger import Ledger, open_ledger
from runhive.tracking.ledger.run import Event, run_folder
from runhive.tracking.ledger.verify import verify

Git = Callable[..., str]
Plant = Callable[[str, bytes], None]

RUN = "20261123-142233-7f3a9c"
OLDER = "20261122-080000-000001"
WEIGHTS = hashlib.sha256(b"weights").hexdigest()
STARTED = Event(
    "started", {"experiment": "ants", "params": {"train": {"lr": 0.1}}, "code": {"commit": "c0", "dirty": True}}
)
EVALUATED = Event("evaluated", {"evaluation": {"weights_sha256": WEIGHTS}, "metrics": {"val.accuracy": 0.75}})
COMPLETED = Event("finished", {"state": "completed", "attempt": 1})

WRITERS = """
import os, sys
from pathlib import Path
from runhive.tracking.ledger.ledger import open_ledger
from runhive.tracking.ledger.run import Event
root, count, acknowledged, ids = Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]), sys.argv[4:]
for run_id in ids:
    if os.fork() == 0:
        ledger = open_ledger(root)
        with (acknowledged / run_id).open("a") as said:
            for number in range(count):
                ledger.append(run_id, [Event("counted", {"number": number})], {f"{number}.txt": bytes(1000)})
                print(number, file=said, flush=True)
        os._exit(0)
sys.exit(any([os.wait()[1] for _ in ids]))
"""


def writers(root: Path, count: int, ids: list[str], acknowledged: Path) -> "subprocess.Popen[bytes]":
    """Start a process for each of *ids*, which appends to that run and then says so in its file in *acknowledged*."""
    acknowledged.mkdir()
    return subprocess.Popen([sys.executable, "-c", WRITERS, root, str(count), acknowledged, *ids])


def numbers(ledger: Ledger, run_id: str) -> list[int]:
    return [event.data["number"] for event in ledger.run(run_id).events]


def test_an_empty_ledger_has_nothing(ledger: Ledger) -> None:
    assert ledger.tip() is None
    assert ledger.runs() == []
    assert ledger.has(RUN) is False
    assert ledger.files(RUN) == {}
    assert ledger.file(RUN, "log.txt") is None
    assert ledger.media(WEIGHTS) is None
    assert list(ledger.table().columns[:3]) == ["run_id", "name", "experiment"]


def test_a_run_is_read_back_as_it_was_written(ledger: Ledger) -> None:
    picture = b"\xff\xd8 picture"
    name = hashlib.sha256(picture).hexdigest()

    added = ledger.append(RUN, [STARTED, EVALUATED], {"history.csv": b"epoch\n"}, {name: picture})
    run = ledger.run(RUN)

    assert [event.order for event in added] == [1, 2]
    assert run.events == added
    assert (run.experiment, run.state, run.metrics) == ("ants", "running", {"val.accuracy": 0.75})
    assert ledger.has(RUN)
    assert ledger.file(RUN, "history.csv") == b"epoch\n"
    assert ledger.files(RUN) == {"history.csv": 6}
    assert ledger.media(name) == picture


def test_one_append_is_one_commit_that_says_what_was_added(ledger: Ledger, repository: Path, git: Git) -> None:
    ledger.append(RUN, [STARTED])
    ledger.append(RUN, [EVALUATED, COMPLETED])
    ledger.append(RUN, [], {"log.txt": b"done"})

    log = git(repository, "log", "--format=%s by %an", "refs/runs/main").splitlines()

    assert log == [f"{RUN}: files by Bee", f"{RUN}: evaluated, finished by Bee", f"{RUN}: started by Bee"]
    assert git(repository, "ls-tree", "-r", "--name-only", "refs/runs/main").startswith(f"{run_folder(RUN)}/0001-")


def test_events_of_more_than_a_file_s_cap_are_several_files_of_one_commit(
    ledger: Ledger, repository: Path, git: Git
) -> None:
    ledger.append(RUN, [Event("counted", {"number": n, "text": "x" * 3_000_000}) for n in range(2)])

    assert numbers(ledger, RUN) == [0, 1]
    assert verify(ledger.repository).problems == ()
    assert len(git(repository, "ls-tree", "-r", "--name-only", "refs/runs/main").splitlines()) == 2
    assert len(git(repository, "log", "--format=%h", "refs/runs/main").splitlines()) == 1


def test_without_an_identity_runhive_signs(ledger: Ledger, repository: Path, git: Git) -> None:
    git(repository, "config", "--unset", "user.name")
    git(repository, "config", "user.email", "")
    ledger.append(RUN, [STARTED])

    assert git(repository, "log", "-1", "--format=%an %ae", "refs/runs/main") == "runhive runhive@localhost"


def test_the_same_inputs_add_nothing_however_often(ledger: Ledger) -> None:
    files = {"history.csv": b"epoch\n", "my-events.json": b"[]"}
    ledger.append(RUN, [STARTED, EVALUATED, COMPLETED], files)
    tip = ledger.tip()

    again = [Event(event.type, dict(event.data), seconds=9.0) for event in (EVALUATED, COMPLETED, COMPLETED)]
    added = ledger.append(RUN, again, files)

    assert added == ()
    assert ledger.tip() == tip
    assert ledger.append(RUN, [], {"history.csv": b"epoch,loss\n"}) == ()
    assert ledger.tip() != tip


def test_what_was_said_before_the_last_word_can_be_said_again(ledger: Ledger) -> None:
    for number in (1, 2, 1):
        ledger.append(RUN, [Event("counted", {"number": number})])

    assert numbers(ledger, RUN) == [1, 2, 1]


def test_only_what_is_new_of_an_append_is_added(ledger: Ledger) -> None:
    ledger.append(RUN, [STARTED])

    added = ledger.append(RUN, [STARTED, EVALUATED, EVALUATED])

    assert [(event.type, event.order) for event in added] == [("evaluated", 2)]


def test_a_run_is_found_by_the_beginning_of_its_id(ledger: Ledger) -> None:
    ledger.append(RUN, [STARTED])
    ledger.append(OLDER, [STARTED])

    assert ledger.run("20261123").run_id == RUN
    with pytest.raises(RunhiveError, match="begins 2 run ids"):
        ledger.run("202611")
    with pytest.raises(RunhiveError, match=rf"near: {RUN}.*runhive runs list"):
        ledger.run("20261123-142233-7f3a9d")
    with pytest.raises(RunhiveError, match="no run ''"):
        ledger.run("")


def test_runs_and_table_are_newest_first_with_flat_columns(ledger: Ledger) -> None:
    ledger.append(OLDER, [Event("started", {"experiment": "bees"}, time="2026-11-22T08:00:00.000+00:00")])
    ledger.append(RUN, [STARTED, EVALUATED, COMPLETED])

    table = ledger.table()

    assert [run.run_id for run in ledger.runs()] == list(table.run_id) == [RUN, OLDER]
    newest = table.iloc[0]
    assert (newest["state"], newest["commit"], newest["dirty"]) == ("completed", "c0", True)
    assert (newest["params.train.lr"], newest["metrics.val.accuracy"]) == (0.1, 0.75)
    assert table.iloc[1].isna()["metrics.val.accuracy"]


@pytest.mark.parametrize(
    "name", ["", "events.json", ".git", "a/b", "../log.txt", "a\\b", "log.txt\n", "-rf", "x" * 101, "日"]
)
def test_a_hostile_file_name_is_refused_for_writing_and_reading(ledger: Ledger, name: str) -> None:
    with pytest.raises(RunhiveError, match="is no name for a file of a run"):
        ledger.append(RUN, [STARTED], {name: b""})
    with pytest.raises(RunhiveError, match="is no name for a file of a run"):
        ledger.file(RUN, name)

    assert ledger.tip() is None


@pytest.mark.parametrize("name", ["", "../" * 21 + "a", "A" * 64, "0" * 63])
def test_a_picture_is_named_by_its_digest_alone(ledger: Ledger, name: str) -> None:
    with pytest.raises(RunhiveError):
        ledger.append(RUN, [STARTED], {}, {name: b"picture"})
    with pytest.raises(RunhiveError, match="SHA-256"):
        ledger.media(name)


def test_a_picture_that_is_there_stays_as_it_is(ledger: Ledger) -> None:
    """Another Pillow gives the same image other bytes."""
    ledger.append(RUN, [STARTED], {}, {WEIGHTS: b"picture"})
    tip = ledger.tip()

    ledger.append(RUN, [STARTED], {}, {WEIGHTS: b"the same picture"})

    assert ledger.media(WEIGHTS) == b"picture"
    assert ledger.tip() == tip


def test_a_file_over_the_cap_is_refused_by_name(ledger: Ledger) -> None:
    with pytest.raises(RunhiveError, match=r"predictions\.csv has 5000001 bytes"):
        ledger.append(RUN, [STARTED], {"predictions.csv": bytes(5_000_001)})

    assert ledger.tip() is None


@pytest.mark.parametrize(
    "event",
    [
        Event("../noted", {}),
        Event("unheard-of", {"loss": float("nan")}),
        Event("finished", {"state": "done"}),
        Event("evaluated", {"metrics": {}}),
    ],
)
def test_an_event_that_no_reader_could_read_is_not_written(ledger: Ledger, event: Event) -> None:
    with pytest.raises(RunhiveError, match="cannot be recorded"):
        ledger.append(RUN, [STARTED, event])

    assert ledger.tip() is None


@pytest.mark.parametrize(
    "path",
    [
        f"{run_folder(OLDER)}/0001-00000000-events.json",
        f"{run_folder(OLDER)}/0001-00000000-events.json/file",
        f"{run_folder(OLDER)}/only-a-file",
        f"{run_folder(OLDER)}/events/0001-started-00000000.json",
        f"{run_folder(OLDER)}/events/folder/file",
        f"runs/2020/01/01/{OLDER}/0001-00000000-events.json",
        "runs/2026/11/22/<script>/0001-00000000-events.json",
        "runs/2026/11/22/caf\udce9/0001-00000000-events.json",
    ],
)
def test_a_run_that_cannot_be_read_is_left_out_by_name_and_the_others_stay(
    ledger: Ledger, plant: Plant, path: str
) -> None:
    ledger.append(RUN, [STARTED])
    plant(path, b"{garbage")

    with pytest.warns(UserWarning, match="left out: 'runs/20"):
        runs = ledger.runs()

    assert [run.run_id for run in runs] == [RUN]


@pytest.mark.parametrize("path", ["readme", "runs/readme", "runs/2026/readme", "media/00/x.jpg"])
def test_a_file_where_a_folder_belongs_is_no_run(ledger: Ledger, plant: Plant, path: str) -> None:
    ledger.append(RUN, [STARTED])
    plant(path, b"hello")

    assert [run.run_id for run in ledger.runs()] == [RUN]


def test_a_malformed_event_is_named_when_its_run_is_asked_for(ledger: Ledger, plant: Plant) -> None:
    plant(f"{run_folder(RUN)}/0001-00000000-events.json", b"[{garbage")

    with pytest.raises(RunhiveError, match=r"0001-00000000-events\.json' of the ledger: not a well-formed event"):
        ledger.run(RUN)


def test_reading_needs_no_working_tree(ledger: Ledger, repository: Path, git: Git) -> None:
    ledger.append(RUN, [STARTED], {"log.txt": b"done"})
    git(repository, "rm", "-rq", ".")

    assert git(repository, "status", "--porcelain") == "D  model.py"
    assert open_ledger(repository).file(RUN, "log.txt") == b"done"


def test_a_plain_clone_does_not_carry_the_ledger(ledger: Ledger, repository: Path, tmp_path: Path, git: Git) -> None:
    ledger.append(RUN, [STARTED])
    git(tmp_path, "clone", "--quiet", "--no-local", str(repository), "clone")

    assert open_ledger(tmp_path / "clone").tip() is None
    assert RUN not in git(tmp_path / "clone", "log", "--all", "--format=%s")


def test_a_partial_clone_says_how_to_fetch_the_rest(ledger: Ledger, repository: Path, tmp_path: Path, git: Git) -> None:
    ledger.append(RUN, [STARTED], {"log.txt": b"done"})
    git(repository, "config", "uploadpack.allowFilter", "true")
    git(tmp_path, "clone", "--quiet", "--filter=blob:none", repository.as_uri(), "clone")
    git(tmp_path / "clone", "fetch", "--quiet", "origin", "refs/runs/main:refs/runs/main")
    partial = open_ledger(tmp_path / "clone")
    reads: list[Callable[[], object]] = [
        partial.runs,
        lambda: partial.run(RUN),
        lambda: partial.file(RUN, "log.txt"),
        lambda: partial.files(RUN),
    ]

    for read in reads:
        with pytest.raises(RunhiveError, match="git fetch --refetch"):
            read()


def test_a_run_in_a_dvc_temporary_workspace_lands_in_the_real_repository(
    repository: Path, git: Git, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = repository / ".dvc" / "tmp" / "exps" / "tmpabc"
    temporary.mkdir(parents=True)
    git(temporary, "init", "--quiet")
    monkeypatch.chdir(temporary)
    monkeypatch.setenv("DVC_ROOT", str(repository))

    open_ledger().append(RUN, [STARTED])

    assert open_ledger(repository).has(RUN)
    assert open_ledger(temporary).tip() is None


def test_linked_worktrees_share_the_ledger_and_its_lock(
    ledger: Ledger, repository: Path, tmp_path: Path, git: Git
) -> None:
    git(repository, "worktree", "add", "--quiet", str(tmp_path / "linked"))
    linked = open_ledger(tmp_path / "linked")

    linked.append(RUN, [STARTED])
    ledger.append(OLDER, [STARTED])

    assert linked.tip() == ledger.tip() == git(tmp_path / "linked", "rev-parse", "refs/runs/main")
    assert list(repository.rglob("ledger.lock")) == [repository / ".git" / "runhive" / "ledger.lock"]


def test_the_ledger_goes_on_after_git_packs_and_collects(ledger: Ledger, repository: Path, git: Git) -> None:
    ledger.append(RUN, [STARTED])
    git(repository, "gc", "--quiet", "--prune=now")
    assert not (repository / ".git" / "refs" / "runs" / "main").exists()

    ledger.append(RUN, [COMPLETED])

    assert [event.type for event in ledger.run(RUN).events] == ["started", "finished"]


def test_four_writers_lose_nothing(ledger: Ledger, repository: Path, tmp_path: Path) -> None:
    ids = [RUN, OLDER, "20261121-000000-000000", "20261121-000000-000001"]
    with writers(repository, 25, ids, tmp_path / "acknowledged") as running:
        assert running.wait() == 0

    assert [numbers(ledger, run_id) for run_id in ids] == [list(range(25))] * 4


def test_writers_of_one_run_hand_out_each_order_once(ledger: Ledger, repository: Path, tmp_path: Path) -> None:
    with writers(repository, 10, [RUN, RUN, RUN], tmp_path / "acknowledged") as running:
        assert running.wait() == 0
    orders = [event.order for event in ledger.run(RUN).events]

    assert {*numbers(ledger, RUN)} == set(range(10))
    assert orders == list(range(1, len(orders) + 1))


def test_nothing_is_lost_while_plain_git_packs_the_ref(ledger: Ledger, repository: Path) -> None:
    """Git takes no lock of ours."""
    script = f"while true; do git -C '{repository}' pack-refs --all --prune; done"
    with subprocess.Popen(["sh", "-c", script], start_new_session=True, stderr=subprocess.DEVNULL) as rival:
        try:
            for number in range(40):
                ledger.append(RUN, [Event("counted", {"number": number})])
        finally:
            os.killpg(rival.pid, signal.SIGKILL)

    assert numbers(ledger, RUN) == list(range(40))


class Interrupted(list[Event]):
    """Events in whose first reading, after that of the ledger, another program moves the ref."""

    def __init__(self, events: list[Event], meanwhile: Callable[[], None]) -> None:
        super().__init__(events)
        self.meanwhile = [meanwhile]

    def __iter__(self) -> Iterator[Event]:
        while self.meanwhile:
            self.meanwhile.pop()()
        return super().__iter__()


def test_a_commit_that_plain_git_puts_in_between_is_kept(
    ledger: Ledger, repository: Path, plant: Plant, git: Git
) -> None:
    ledger.append(RUN, [STARTED])

    added = ledger.append(RUN, Interrupted([COMPLETED], lambda: plant("planted.txt", b"hello")))

    assert [event.type for event in added] == ["finished"]
    assert ledger.run(RUN).state == "completed"
    assert git(repository, "show", "refs/runs/main:planted.txt") == "hello"
    assert git(repository, "rev-list", "--count", "refs/runs/main") == "3"


def test_the_first_commit_is_not_overwritten_either(ledger: Ledger, repository: Path, plant: Plant, git: Git) -> None:
    ledger.append(RUN, Interrupted([STARTED], lambda: plant("planted.txt", b"hello")))

    assert ledger.has(RUN)
    assert git(repository, "show", "refs/runs/main:planted.txt") == "hello"


@pytest.mark.fault(
    "ledger",
    "the lock file of a killed git",
    wanted="it is taken over",
)
def test_the_lock_file_of_a_killed_git_is_taken_over(ledger: Ledger, repository: Path) -> None:
    ledger.append(RUN, [STARTED])
    lock = repository / ".git" / "refs" / "runs" / "main.lock"
    lock.touch()
    os.utime(lock, (time.time() - 60, time.time() - 60))

    ledger.append(RUN, [COMPLETED])

    assert ledger.run(RUN).state == "completed"
    assert not lock.exists()


def test_a_fresh_lock_file_is_waited_for(ledger: Ledger, repository: Path) -> None:
    ledger.append(RUN, [STARTED])
    lock = repository / ".git" / "refs" / "runs" / "main.lock"
    lock.touch()
    with subprocess.Popen(["sh", "-c", f"sleep 0.5; rm '{lock}'"]):
        ledger.append(RUN, [COMPLETED])

    assert ledger.run(RUN).state == "completed"


def test_no_acknowledged_append_is_lost_to_kill_9(ledger: Ledger, repository: Path, tmp_path: Path, git: Git) -> None:
    """Fifteen writers compete, and from the first acknowledged append on whoever holds the lock is killed."""
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    chance = random.Random(seed)
    lock = repository / ".git" / "runhive" / "ledger.lock"
    acknowledged = tmp_path / "acknowledged"
    ids = [f"20261123-142233-{number:06x}" for number in range(15)]
    with writers(repository, 10**6, ids, acknowledged) as running:
        while running.poll() is None:
            time.sleep(chance.uniform(0, 0.1))
            if not any(said.stat().st_size for said in acknowledged.iterdir()):
                continue
            with suppress(FileNotFoundError, psutil.NoSuchProcess, ValueError):
                holder = psutil.Process(int(lock.read_text()))
                if holder.ppid() == running.pid:
                    holder.kill()
    lines = {path.name: path.read_text().splitlines(keepends=True) for path in acknowledged.iterdir()}
    known = {run_id: [int(line) for line in said if line.endswith("\n")] for run_id, said in lines.items()}

    assert any(known.values())
    for run_id, said in known.items():
        if said:
            assert numbers(ledger, run_id)[: len(said)] == said
    assert git(repository, "fsck", "--full", "--strict", "--no-dangling") == ""
    stale = repository / ".git" / "refs" / "runs" / "main.lock"
    stale.touch()
    os.utime(stale, (0, 0))
    ledger.append(RUN, [STARTED])
    assert ledger.has(RUN)
