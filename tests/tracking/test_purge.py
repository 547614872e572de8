"""Purge: what is taken out is gone, from here, from the remote and from every clone, and nothing else is."""

import importlib
import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from runhive.errors import RunhiveError
from runhive.tracking.ledger.exchange import pull_runs, push_runs
from runhive.tracking.ledger.journal import JOURNAL
from runhive.tracking.ledger.ledger import Ledger, open_ledger
from runhive.tracking.ledger.objects import REF
from runhive.tracking.ledger.pack import pack as size_and_pack
from runhive.tracking.ledger.purge import purge
from runhive.tracking.ledger.run import Event
from runhive.tracking.ledger.stone import stones
from runhive.tracking.ledger.verify import verify

Git = Callable[..., str]

RUN = "20261123-142233-7f3a9c"
OTHER = "20261122-080000-000001"
SECRET = b"hunter2-is-the-password"
OWN, SHARED = "a" * 64, "b" * 64
STARTED = Event("started", {"experiment": "ants"})
COMPLETED = Event("finished", {"state": "completed", "attempt": 1})


def fill(ledger: Ledger) -> None:
    jpeg = b"\xff\xd8picture"
    ledger.append(OTHER, [STARTED], {"predictions.csv": SHARED.encode()}, {SHARED: jpeg})
    ledger.append(RUN, [STARTED], {"params.yaml": SECRET}, {OWN: jpeg + b"own"})
    ledger.append(OTHER, [COMPLETED])
    ledger.append(RUN, [Event("counted", {"secret": SECRET.decode()})], {"predictions.csv": SHARED.encode()})


def holds(folder: Path, content: bytes) -> bool:
    """Say whether any object of the repository, reachable or not, holds *content*."""
    git = ["git", "-C", str(folder), "cat-file", "--batch-all-objects"]
    found = subprocess.run([*git, "--batch", "--buffer"], check=True, capture_output=True).stdout
    return content in found


def clone_of(hub: Path, folder: Path) -> Ledger:
    subprocess.run(["git", "clone", "--quiet", hub.as_uri(), folder], check=True, capture_output=True)
    return open_ledger(folder)


@pytest.fixture
def hub(repository: Path, tmp_path: Path, git: Git) -> Path:
    git(tmp_path, "init", "--quiet", "--bare", "hub.git")
    git(repository, "remote", "add", "origin", (tmp_path / "hub.git").as_uri())
    return tmp_path / "hub.git"


@pytest.mark.parametrize("packed", [False, True])
def test_nothing_of_a_purged_run_is_left_but_its_stone(
    ledger: Ledger, repository: Path, git: Git, packed: bool
) -> None:
    git(repository, "config", "core.logAllRefUpdates", "always")
    fill(ledger)
    others = ledger.run(OTHER)
    ledger.rows()
    if packed:
        git(repository, "gc", "--quiet")

    purge(ledger.repository, RUN, "Bee <bee@hive.example>", "a password in it")

    assert not holds(repository, SECRET)
    assert not any(SECRET in file.read_bytes() for file in repository.rglob("*") if file.is_file())
    assert [run.run_id for run in ledger.runs()] == [OTHER]
    assert ledger.run(OTHER) == others
    assert ledger.media(OWN) is None and ledger.media(SHARED) is not None
    (stone,) = stones(ledger.repository[ledger.tip() or ""].tree)
    assert (stone.run_id, stone.by, stone.why, stone.media) == (
        RUN, "Bee <bee@hive.example>", "a password in it", (OWN,),
    )  # fmt: skip
    subjects = git(repository, "log", "--format=%s", REF).splitlines()
    assert subjects == [f"{RUN}: purged", f"{OTHER}: finished", f"{OTHER}: started"]
    assert git(repository, "fsck", "--full", "--strict", "--no-dangling") == ""


def test_a_purged_run_cannot_be_written_or_purged_again(ledger: Ledger) -> None:
    fill(ledger)
    purge(ledger.repository, RUN, "Bee", "a face")

    for act in (lambda: ledger.append(RUN, [STARTED]), lambda: purge(ledger.repository, RUN, "Bee", "again")):
        with pytest.raises(RunhiveError, match=rf"run {RUN} was purged by 'Bee' \('a face'\)"):
            act()


@pytest.mark.parametrize("run_id", ["20260101-000000-000000", "../../etc/passwd"])
def test_what_is_no_run_cannot_be_purged(ledger: Ledger, run_id: str) -> None:
    fill(ledger)
    tip = ledger.tip()

    with pytest.raises(RunhiveError, match="runhive runs list"):
        purge(ledger.repository, run_id, "Bee", "why")

    assert ledger.tip() == tip


def test_other_clones_follow_and_bring_nothing_back(
    ledger: Ledger, repository: Path, hub: Path, tmp_path: Path
) -> None:
    fill(ledger)
    push_runs(None, False, repository)
    bob, late = clone_of(hub, tmp_path / "bob"), clone_of(hub, tmp_path / "late")
    for folder in ("bob", "late"):
        pull_runs(None, False, tmp_path / folder)
    bob.append(RUN, [COMPLETED], {"log.txt": SECRET})
    mine = bob.append("20261124-000000-000001", [STARTED])

    purge(ledger.repository, RUN, "Bee", "a password in it")
    assert push_runs(None, False, repository) == "to origin: 1 purged; from it: nothing new"
    assert pull_runs(None, False, tmp_path / "bob") == "from origin: 1 purged"
    push_runs(None, False, tmp_path / "bob")
    late.append(RUN, [COMPLETED])
    push_runs(None, False, tmp_path / "late")
    pull_runs(None, False, repository)

    for one in (ledger, bob, late):
        assert [run.run_id for run in one.runs()] == ["20261124-000000-000001", OTHER]
        assert not holds(Path(one.repository.workdir), SECRET)
        assert {problem.where.partition("/")[0] for problem in verify(one.repository).problems} <= {"media"}
    assert bob.run("20261124-000000-000001").events == mine
    assert ledger.tip() == bob.tip() or ledger.tip() == late.tip()


def test_two_clones_purge_two_runs_at_once(ledger: Ledger, repository: Path, hub: Path, tmp_path: Path) -> None:
    fill(ledger)
    ledger.append("20261124-000000-000001", [STARTED])
    push_runs(None, False, repository)
    bob = clone_of(hub, tmp_path / "bob")
    pull_runs(None, False, tmp_path / "bob")

    purge(ledger.repository, RUN, "Bee", "one")
    purge(bob.repository, OTHER, "Bob", "two")
    push_runs(None, False, repository)
    push_runs(None, False, tmp_path / "bob")
    pull_runs(None, False, repository)

    assert ledger.tip() == bob.tip()
    assert [run.run_id for run in ledger.runs()] == ["20261124-000000-000001"]
    assert len(list(stones(ledger.repository[ledger.tip() or ""].tree))) == 2


def test_a_rewritten_chain_that_lost_more_than_its_stones_say_is_refused(
    ledger: Ledger, repository: Path, hub: Path, tmp_path: Path, git: Git
) -> None:
    fill(ledger)
    push_runs(None, False, repository)
    bob = clone_of(hub, tmp_path / "bob")
    pull_runs(None, False, tmp_path / "bob")
    tip = bob.tip()
    hostile = clone_of(hub, tmp_path / "hostile")
    hostile.append(RUN, [STARTED])
    purge(hostile.repository, RUN, "Mallory", "and the rest")
    git(tmp_path / "hostile", "push", "--quiet", "--force", "origin", f"{REF}:{REF}")

    with pytest.raises(RunhiveError, match="lost runs"):
        pull_runs(None, False, tmp_path / "bob")

    assert bob.tip() == tip


def test_what_a_killed_purge_left_is_deleted_by_the_next(ledger: Ledger, repository: Path) -> None:
    """The journal stands for a kill between the ref's move and the deletion."""
    fill(ledger)
    old = ledger.tip()
    purge(ledger.repository, RUN, "Bee", "a face")
    journal = repository / ".git" / "runhive" / JOURNAL
    assert not journal.exists()
    blob = ledger.repository.create_blob(SECRET)
    tree = ledger.repository.TreeBuilder()
    tree.insert("left", blob, 0o100644)
    who = ledger.repository.default_signature
    left = ledger.repository.create_commit(None, who, who, "left", tree.write(), [])
    journal.write_text(json.dumps({"tips": [str(left), old], "objects": []}))

    ledger.append("20261124-000000-000001", [STARTED])
    purge(ledger.repository, "20261124-000000-000001", "Bee", "another")

    assert not holds(repository, SECRET)
    assert not journal.exists()


def test_a_pack_that_a_killed_fetch_left_marked_to_be_kept_is_no_hiding_place(
    ledger: Ledger, repository: Path, git: Git
) -> None:
    fill(ledger)
    git(repository, "gc", "--quiet")
    (pack,) = (repository / ".git" / "objects" / "pack").glob("*.pack")
    with subprocess.Popen(["true"]) as fetch:
        fetch.wait()
    pack.with_suffix(".keep").write_text(f"fetch-pack {fetch.pid} on {platform.node()}\n")

    purge(ledger.repository, RUN, "Bee", "a face")

    assert not holds(repository, SECRET)


@pytest.mark.parametrize(
    "by", [f"fetch-pack {os.getpid()} on {platform.node()}\n", "fetch-pack 1 on elsewhere\n", ""],
    ids=["a live fetch", "elsewhere", "by hand"],
)  # fmt: skip
def test_a_pack_that_is_kept_by_another_than_a_dead_fetch_stays_and_is_told_until_the_mark_is_gone(
    ledger: Ledger, repository: Path, git: Git, by: str
) -> None:
    fill(ledger)
    git(repository, "gc", "--quiet")
    (pack,) = (repository / ".git" / "objects" / "pack").glob("*.pack")
    mark = pack.with_suffix(".keep")
    mark.write_text(by)

    with pytest.warns(UserWarning, match=rf"still in .*{pack.name}.*: delete {mark.name} beside it"):
        purge(ledger.repository, RUN, "Bee", "a face")
    with pytest.warns(UserWarning, match="still in"):
        size_and_pack(ledger.repository)

    assert pack.exists() and [run.run_id for run in ledger.runs()] == [OTHER]
    mark.unlink()
    size_and_pack(ledger.repository)
    assert not holds(repository, SECRET)
    assert not (repository / ".git" / "runhive" / JOURNAL).exists()


def test_a_kept_pack_that_a_branch_needs_is_no_matter(ledger: Ledger, repository: Path, git: Git) -> None:
    git(repository, "gc", "--quiet")
    (pack,) = (repository / ".git" / "objects" / "pack").glob("*.pack")
    pack.with_suffix(".keep").touch()
    fill(ledger)

    purge(ledger.repository, RUN, "Bee", "a face")

    assert not (repository / ".git" / "runhive" / JOURNAL).exists()


@pytest.mark.parametrize("moment", ["journal.repack", "purge.make_durable"])
def test_an_append_during_a_purge_waits_for_neither_history_nor_packing_and_keeps_what_it_needs(
    ledger: Ledger, repository: Path, git: Git, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """It is made by another process when the purge is over *moment*, with the very bytes that are taken out."""
    fill(ledger)
    new = "20261124-000000-000001"
    script = f"""
from pathlib import Path
from runhive.tracking.ledger import objects
from runhive.tracking.ledger.ledger import open_ledger
from runhive.tracking.ledger.run import Event
objects.LOCK_SECONDS = 0
open_ledger(Path({str(repository)!r})).append({new!r}, [Event("started", {{}})], {{"params.yaml": {SECRET!r}}})
"""
    module = importlib.import_module(f"runhive.tracking.ledger.{moment.partition('.')[0]}")
    real, made = getattr(module, moment.partition(".")[2]), []

    def meanwhile(*words: object) -> None:
        real(*words)
        if not made:
            made.append(subprocess.run([sys.executable, "-c", script], capture_output=True, text=True))

    monkeypatch.setattr(f"runhive.tracking.ledger.{moment}", meanwhile)
    purge(ledger.repository, RUN, "Bee", "a face")

    assert made[0].returncode == 0, made[0].stderr
    assert [run.run_id for run in ledger.runs()] == [new, OTHER]
    assert ledger.file(new, "params.yaml") == SECRET
    assert git(repository, "fsck", "--full", "--strict", "--no-dangling") == ""


def test_a_file_that_a_branch_also_has_stays_whole(ledger: Ledger, repository: Path, git: Git) -> None:
    (repository / "params.yaml").write_bytes(SECRET)
    git(repository, "add", "params.yaml")
    git(repository, "commit", "--quiet", "--message=the same bytes")
    fill(ledger)

    purge(ledger.repository, RUN, "Bee", "a face")

    assert git(repository, "show", "HEAD:params.yaml") == SECRET.decode()
    assert git(repository, "fsck", "--full", "--strict", "--no-dangling") == ""
