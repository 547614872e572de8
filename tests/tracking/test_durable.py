"""What an append wrote is flushed before the ledger moves, whichever way it is flushed."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from runhive.tracking.ledger import durable, objects
from runhive.tracking.ledger.ledger import Ledger
from runhive.tracking.ledger.run import Event

RUNS = ("20261123-142233-7f3a9c", "20261123-142233-7f3a9d")
FULL, IDLE = -1, 10**15  # bytes above which much is to be written


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


def test_beside_other_writers_each_new_object_and_no_other_is_flushed(
    ledger: Ledger, repository: Path, flushed: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(durable, "MUCH_BYTES", FULL)
    for run_id in RUNS:
        before = loose(repository)
        flushed.clear()
        ledger.append(run_id, [Event("started", {"experiment": "ants"})], {"log.txt": b"done"}, {"a" * 64: b"picture"})

        assert loose(repository) - before <= {*flushed} <= loose(repository)
        assert repository / ".git/objects" not in flushed


def test_a_file_that_git_packed_meanwhile_is_no_matter(
    ledger: Ledger, repository: Path, git: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(durable, "MUCH_BYTES", FULL)

    def packed_first(*words: object) -> None:
        git(repository, "-c", "gc.pruneExpire=never", "repack", "-a", "-d", "-k", "-q")
        durable.make_durable(*words)  # type: ignore[arg-type]

    monkeypatch.setattr(objects, "make_durable", packed_first)
    for run_id in RUNS:
        ledger.append(run_id, [Event("started", {"experiment": "ants"})])

    assert [run.run_id for run in ledger.runs()] == [*reversed(RUNS)]


@pytest.mark.parametrize("much", [FULL, IDLE])
def test_a_flush_that_fails_fails_the_append(
    ledger: Ledger, repository: Path, monkeypatch: pytest.MonkeyPatch, much: int
) -> None:
    monkeypatch.setattr(durable, "MUCH_BYTES", much)

    def fail(_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(durable, "_sync" if much == FULL else "sync_file_system", fail)

    with pytest.raises(objects.RunhiveError, match="cannot be written"):
        ledger.append(RUNS[0], [Event("started", {"experiment": "ants"})])
    assert ledger.runs() == []
