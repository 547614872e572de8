"""What the ledger moves to is flushed before it moves, and nothing waits for what other programs wrote."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from runhive.tracking.ledger import durable, objects
from runhive.tracking.ledger.exchange import pull_runs, push_runs
from runhive.tracking.ledger.ledger import Ledger, open_ledger
from runhive.tracking.ledger.purge import purge
from runhive.tracking.ledger.run import Event

Git = Callable[..., str]

RUNS = ("20261123-142233-7f3a9c", "20261123-142233-7f3a9d", "20261123-142233-7f3a9e")
STARTED = Event("started", {"experiment": "ants"})


def loose(repository: Path) -> set[Path]:
    return {path for path in (repository / ".git" / "objects").glob("??/*") if path.is_file()}


@pytest.fixture
def flushed(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files that were flushed, in order."""
    if not Path("/proc/self/fd").exists():
        pytest.skip("NOT TRIED: only Linux tells which file a descriptor is")
    files: list[Path] = []
    fsync = os.fsync

    def recorded(descriptor: int) -> None:
        files.append(Path(f"/proc/self/fd/{descriptor}").readlink())
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", recorded)
    return files


@pytest.fixture
def clones(repository: Path, tmp_path: Path, git: Git) -> tuple[Path, Path]:
    git(tmp_path, "init", "--quiet", "--bare", "hub.git")
    git(repository, "remote", "add", "origin", "../hub.git")
    other = tmp_path / "other"
    subprocess.run(["git", "clone", "--quiet", tmp_path / "hub.git", other], check=True, capture_output=True)
    return repository, other


def test_each_new_object_and_no_other_is_flushed(ledger: Ledger, repository: Path, flushed: list[Path]) -> None:
    for run_id in RUNS:
        before = loose(repository)
        flushed.clear()
        ledger.append(run_id, [STARTED], {"log.txt": b"done"}, {"a" * 64: b"picture"})

        assert loose(repository) - before <= {*flushed} <= loose(repository)
        assert repository / ".git/objects" not in flushed


def test_a_union_flushes_what_it_wrote_itself_under_the_lock_and_what_came_before_it(
    clones: tuple[Path, Path], flushed: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = clones
    open_ledger(there).append(RUNS[0], [STARTED])
    push_runs(None, False, there)
    ours = open_ledger(here).append(RUNS[1], [STARTED], {"log.txt": b"done"})
    locked: list[bool] = []

    def whole(folder: Path) -> None:
        locked.append(bool((folder / "runhive" / "ledger.lock").read_bytes()))

    monkeypatch.setattr("runhive.tracking.ledger.sync.sync_file_system", whole)
    monkeypatch.setattr(durable, "sync_file_system", lambda _: pytest.fail("it waited for other programs"))
    flushed.clear()
    before = loose(here)
    pull_runs(None, False, here)

    assert ours and locked == [False]
    theirs = open_ledger(there).tip() or ""
    fetched = {path for path in loose(here) - before if (there / path.relative_to(here)).exists()}
    assert any(theirs.startswith(path.parent.name + path.name[:4]) for path in fetched)
    assert loose(here) - before - fetched <= {*flushed}


def test_a_purge_flushes_the_history_that_it_makes_again(ledger: Ledger, repository: Path, flushed: list[Path]) -> None:
    for run_id in RUNS:
        ledger.append(run_id, [STARTED])
    before = loose(repository)
    flushed.clear()
    written: set[Path] = set()

    def noted(*words: object, **_: object) -> None:
        written.update(loose(repository) - before)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("runhive.tracking.ledger.journal.repack", noted)
        purge(ledger.repository, RUNS[0], "Bee", "a face")

    assert len(written) > 10 and written <= {*flushed}


def test_more_objects_than_many_are_flushed_with_the_file_system(
    ledger: Ledger, flushed: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole: list[Path] = []
    monkeypatch.setattr(durable, "MANY", 3)
    monkeypatch.setattr(durable, "sync_file_system", whole.append)

    ledger.append(RUNS[0], [STARTED])

    assert len(whole) == 1 and not any("objects" in file.parts for file in flushed)


def test_a_file_that_git_packed_meanwhile_is_no_matter(
    ledger: Ledger, repository: Path, git: Git, monkeypatch: pytest.MonkeyPatch
) -> None:
    def packed_first(*words: object) -> None:
        git(repository, "-c", "gc.pruneExpire=never", "repack", "-a", "-d", "-k", "-q")
        durable.make_durable(*words)  # type: ignore[arg-type]

    monkeypatch.setattr(objects, "make_durable", packed_first)
    for run_id in RUNS:
        ledger.append(run_id, [STARTED])

    assert [run.run_id for run in ledger.runs()] == [*reversed(RUNS)]


@pytest.mark.parametrize("many", [0, 100])
def test_a_flush_that_fails_fails_the_append(ledger: Ledger, monkeypatch: pytest.MonkeyPatch, many: int) -> None:
    def fail(_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(durable, "MANY", many)
    monkeypatch.setattr(durable, "_flush" if many else "sync_file_system", fail)

    with pytest.raises(objects.RunhiveError, match="cannot be written"):
        ledger.append(RUNS[0], [STARTED])
    assert ledger.runs() == []
