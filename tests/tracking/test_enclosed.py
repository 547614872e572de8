"""Small files that lie among a run's events: for whoever reads them, files like any other."""

import json
from collections.abc import Callable
from pathlib import Path

import pygit2
import pytest

from runhive.errors import RunhiveError
from runhive.tracking.ledger.batch import batch_name, write_batch
from runhive.tracking.ledger.enclosed import ENCLOSED, MOST_BYTES
from runhive.tracking.ledger.kept import Kept
from runhive.tracking.ledger.ledger import Ledger
from runhive.tracking.ledger.objects import subtree, tree_of
from runhive.tracking.ledger.run import Event, run_folder
from runhive.tracking.ledger.union import union
from runhive.tracking.ledger.verify import verify

Plant = Callable[[str, bytes], None]

RUN = "20261123-142233-7f3a9c"
STARTED = Event("started", {})
LOCK, LATER = b"schema: '2.0'\nstages: {}\n", "schema: '2.0'\nstages: {fetch: {cmd: ä}}\n".encode()


def names(ledger: Ledger) -> list[str]:
    folder = subtree(tree_of(ledger.repository.revparse_single("refs/runs/main")), run_folder(RUN))
    return sorted(str(entry.name)[14:] for entry in folder or ())


def test_they_are_read_as_files_and_lie_among_the_events(ledger: Ledger) -> None:
    ledger.append(RUN, [STARTED], {"dvc.lock": LOCK, "params.yaml": b"lr: 1\n", "log.txt": b"a\n"})

    assert names(ledger) == ["events.json", "log.txt"]
    assert ledger.files(RUN) == {"dvc.lock": len(LOCK), "log.txt": 2, "params.yaml": 6}
    assert (ledger.file(RUN, "dvc.lock"), ledger.file(RUN, "params.yaml")) == (LOCK, b"lr: 1\n")
    assert (ledger.file(RUN, "packages.txt"), verify(ledger.repository).problems) == (None, ())


def test_the_last_is_in_force_and_the_same_again_adds_nothing(ledger: Ledger) -> None:
    for lock in (LOCK, LATER, LOCK):
        ledger.append(RUN, [STARTED], {"dvc.lock": lock, "params.yaml": b"lr: 1\n"})
        tip = ledger.tip()
        assert ledger.append(RUN, [STARTED], {"dvc.lock": lock, "params.yaml": b"lr: 1\n"}) == ()
        assert (ledger.tip(), ledger.file(RUN, "dvc.lock"), ledger.file(RUN, "params.yaml")) == (tip, lock, b"lr: 1\n")


def test_a_file_of_an_older_runhive_is_read_until_a_later_one_is_kept(ledger: Ledger, plant: Plant) -> None:
    ledger.append(RUN, [STARTED])
    plant(f"{run_folder(RUN)}/{Kept(1, str(pygit2.hash(LOCK)), 'dvc.lock').path()}", LOCK)
    assert ledger.file(RUN, "dvc.lock") == LOCK
    assert ledger.append(RUN, [STARTED], {"dvc.lock": LOCK}) == ()

    ledger.append(RUN, [STARTED], {"dvc.lock": LATER})

    assert (ledger.file(RUN, "dvc.lock"), ledger.files(RUN)) == (LATER, {"dvc.lock": len(LATER)})


def test_one_that_an_older_runhive_keeps_later_is_in_force(ledger: Ledger, plant: Plant) -> None:
    ledger.append(RUN, [STARTED], {"dvc.lock": LOCK})
    plant(f"{run_folder(RUN)}/{Kept(9, str(pygit2.hash(LATER)), 'dvc.lock').path()}", LATER)

    assert (ledger.file(RUN, "dvc.lock"), ledger.files(RUN)) == (LATER, {"dvc.lock": len(LATER)})


def test_what_is_no_utf_8_stays_a_file(ledger: Ledger) -> None:
    ledger.append(RUN, [STARTED], {"dvc.lock": b"\xff"})

    assert (names(ledger), ledger.file(RUN, "dvc.lock")) == (["dvc.lock", "events.json"], b"\xff")


def test_two_clones_that_keep_others_have_the_same_in_force(ledger: Ledger, repository: Path) -> None:
    ledger.append(RUN, [STARTED])
    base = ledger.repository.revparse_single("refs/runs/main")
    trees = []
    for lock in (LOCK, LATER):
        ledger.repository.references["refs/runs/main"].set_target(base.id)
        ledger.append(RUN, [], {"dvc.lock": lock})
        trees.append(tree_of(ledger.repository.revparse_single("refs/runs/main")))
    one, other = trees

    assert one and other
    assert union(ledger.repository, one, other) == union(ledger.repository, other, one)


@pytest.mark.parametrize("name", ["../../x", "a/b", "", ".git", "a\nb"])
def test_a_name_that_could_leave_its_folder_is_malformed(name: str, ledger: Ledger, plant: Plant) -> None:
    batch = write_batch([STARTED, Event("enclosed", {"files": {name: "x"}}, order=1)])
    plant(f"{run_folder(RUN)}/{batch_name(0, batch)}", batch)

    with pytest.raises(RunhiveError, match="not a well-formed event"):
        ledger.files(RUN)


def test_a_name_that_is_not_enclosed_here_is_passed_over(ledger: Ledger, plant: Plant) -> None:
    batch = write_batch([STARTED, Event("enclosed", {"files": {"log.txt": "x", "dvc.lock": "y"}}, order=1)])
    plant(f"{run_folder(RUN)}/{batch_name(0, batch)}", batch)

    assert ledger.files(RUN) == {"dvc.lock": 1}


def test_an_older_runhive_is_told_to_upgrade_for_it_would_miss_the_files() -> None:
    told = [json.loads(Event(type, {"files": {}}).to_json())["schema_version"] for type in ("enclosed", "filed")]
    assert told == [2, 1]


def test_a_large_one_is_kept_as_a_file_however_it_is_escaped(ledger: Ledger) -> None:
    files = {name: bytes(MOST_BYTES) for name in ENCLOSED}
    ledger.append(RUN, [STARTED], files)
    assert names(ledger) == ["events.json"]

    files["data_report.json"] = b'"' * 4_900_000
    ledger.append(RUN, [STARTED], files)

    assert names(ledger) == ["data_report.json", "events.json"]
    assert ledger.files(RUN) == {name: len(content) for name, content in files.items()}


def test_what_was_enclosed_before_a_file_of_its_name_is_enclosed_again(ledger: Ledger) -> None:
    for content in (b"lr: 1\n", b"\xff", b"lr: 1\n"):
        ledger.append(RUN, [STARTED], {"params.yaml": content})
        assert ledger.file(RUN, "params.yaml") == content
