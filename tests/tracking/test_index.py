"""The index of rows: never needed, never wrong."""

import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from runhive.tracking.ledger import index
from runhive.tracking.ledger.batch import batch_name, write_batch
from runhive.tracking.ledger.ledger import Ledger, open_ledger
from runhive.tracking.ledger.row import row_of
from runhive.tracking.ledger.run import Event, run_folder

Plant = Callable[[str, bytes], None]

RUN = "20261123-142233-7f3a9c"
OLDER = "20261122-080000-000001"
ANCIENT = "20250101-000000-000002"
STARTED = Event("started", {"experiment": "ants", "params": {"train": {"lr": 0.1, "betas": [0.9, 0.99], "ema": None}}})
EVALUATED = Event("evaluated", {"evaluation": {}, "metrics": {"val.accuracy": 0.1 + 0.2}})


@pytest.fixture
def files(repository: Path) -> Callable[[], list[Path]]:
    return lambda: sorted((repository / ".git" / "runhive" / "index").glob("*"))


def fill(ledger: Ledger) -> None:
    for run_id in (RUN, OLDER, ANCIENT):
        ledger.append(run_id, [STARTED, EVALUATED])


def from_runs(ledger: Ledger) -> list[index.Row]:
    return [row_of(run) for run in ledger.runs()]


def test_rows_are_what_the_runs_say_cold_and_warm(ledger: Ledger, files: Callable[[], list[Path]]) -> None:
    fill(ledger)

    cold, warm = ledger.rows(), ledger.rows()

    assert cold == warm == from_runs(ledger)
    assert json.dumps(cold) == json.dumps(warm)
    assert [file.name for file in files()] == ["2025-01.json", "2026-11.json"]


def test_warm_rows_read_no_event(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(ledger)
    ledger.rows()
    read: list[str] = []
    monkeypatch.setattr(index, "read_run", lambda path, *_: read.append(path))

    assert len(ledger.rows()) == 3
    assert read == []


def test_only_the_run_that_changed_is_read_again(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(ledger)
    ledger.rows()
    read: list[str] = []
    real = index.read_run
    monkeypatch.setattr(index, "read_run", lambda path, *rest: read.append(path) or real(path, *rest))

    ledger.append(RUN, [Event("finished", {"state": "completed", "attempt": 1})])

    assert ledger.rows()[0]["state"] == "completed"
    assert read == [run_folder(RUN)]


@pytest.mark.parametrize("damage", ["cut", "flip", "empty", "folder", "other code"])
def test_a_damaged_index_is_made_again(
    ledger: Ledger, files: Callable[[], list[Path]], damage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(ledger)
    expected = ledger.rows()
    content = files()[-1].read_bytes()
    match damage:
        case "cut":
            files()[-1].write_bytes(content[: len(content) // 2])
        case "flip":
            place = random.randrange(len(content))
            files()[-1].write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        case "empty":
            files()[-1].write_bytes(b"")
        case "folder":
            files()[-1].unlink()
            files()[-1].with_name("2026-11.json").mkdir()
        case "other code":
            monkeypatch.setattr(index, "_code", lambda: b"another version")

    assert ledger.rows() == expected == ledger.rows()


def test_a_run_that_cannot_be_read_is_told_each_time_until_it_can(ledger: Ledger, plant: Plant) -> None:
    fill(ledger)
    plant(f"{run_folder(RUN)}/0009-00000000-events.json", b"{garbage")

    for _ in range(2):
        with pytest.warns(UserWarning, match=f"left out: .*{RUN}"):
            assert [row["run_id"] for row in ledger.rows()] == [OLDER, ANCIENT]


def test_a_run_in_the_folder_of_another_day_is_told_each_time_and_no_row(ledger: Ledger, plant: Plant) -> None:
    fill(ledger)
    batch = write_batch([Event("started", {}, order=1)])
    plant(f"runs/{RUN[:4]}/{RUN[4:6]}/31/{RUN}/{batch_name(1, batch)}", batch)

    for _ in range(3):
        with pytest.warns(UserWarning, match="is no run's folder"):
            assert [row["run_id"] for row in ledger.rows()] == [RUN, OLDER, ANCIENT]


def test_one_folder_under_two_ids_gives_two_rows(ledger: Ledger, plant: Plant) -> None:
    """Git gives equal folders one id."""
    batch = write_batch([Event("started", {}, time="2026-11-23T00:00:00.000+00:00", order=1)])
    for run_id in (RUN, OLDER):
        plant(f"{run_folder(run_id)}/{batch_name(1, batch)}", batch)

    for _ in range(2):
        assert {row["run_id"] for row in ledger.rows()} == {RUN, OLDER}


def test_a_worktree_uses_the_same_index(
    ledger: Ledger, repository: Path, tmp_path: Path, git: Callable[..., str]
) -> None:
    git(repository, "worktree", "add", "--quiet", str(tmp_path / "linked"))
    fill(ledger)

    assert open_ledger(tmp_path / "linked").rows() == ledger.rows()
    assert not list((repository / ".git" / "worktrees").rglob("index/*.json"))
