"""Verify: a good ledger is clean, and every way to spoil one is told by its path."""

import hashlib
import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pygit2
import pytest
from click.testing import CliRunner
from PIL import Image

from runhive.cli import commands
from runhive.errors import RunhiveError
from runhive.tracking.ledger.batch import batch_name, write_batch
from runhive.tracking.ledger.entry import media_path
from runhive.tracking.ledger.kept import Kept
from runhive.tracking.ledger.ledger import Ledger, open_ledger
from runhive.tracking.ledger.objects import REF
from runhive.tracking.ledger.run import Event, run_folder
from runhive.tracking.ledger.verify import verify

Git = Callable[..., str]
Plant = Callable[[str, bytes], None]

RUN = "20261123-142233-7f3a9c"
OTHER = "20261122-080000-000001"
DIGEST = hashlib.sha256(b"image").hexdigest()
STARTED = Event("started", {"experiment": "<b>ants</b>"})
EVENT = Event("counted", {"number": 1}, time="2026-11-23T00:00:00.000+00:00", order=7)
BATCH = write_batch([EVENT])
LOOSE = BATCH.replace(b":7", b": 7")
NEWER = BATCH.replace(b'"began"', b'"actor":"bee","began"')


def jpeg() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, "JPEG")
    return file.getvalue()


def fill(ledger: Ledger) -> None:
    ledger.append(RUN, [STARTED], {"log.txt": b"one"}, {DIGEST: jpeg()})
    ending = [Event("noted", {"text": "[\n{"}), Event("finished", {"state": "completed", "attempt": 1})]
    ledger.append(RUN, ending, {"log.txt": b"two"})


def told(ledger: Ledger) -> dict[str, str]:
    found: dict[str, str] = {}
    for problem in verify(ledger.repository).problems:
        found[problem.where] = f"{found.get(problem.where, '')} {problem.what}".strip()
    return found


def test_a_good_ledger_is_clean_and_counted(ledger: Ledger) -> None:
    assert verify(ledger.repository).problems == ()
    fill(ledger)

    verdict = verify(ledger.repository)

    assert verdict.problems == ()
    assert verdict.counts == {"runs": 1, "events": 3, "files": 2, "pictures": 1, "stones": 0, "commits": 2}


@pytest.mark.parametrize(
    ("path", "content", "what"),
    [
        (f"{run_folder(RUN)}/0001-00000000-events.json", b"[{garbage", "not a well-formed event"),
        (f"{run_folder(RUN)}/0001-00000000-events.json", b"[\n\n]\n", "has no events"),
        (f"{run_folder(RUN)}/0007-00000000-events.json", BATCH, "not named by its order"),
        (f"{run_folder(RUN)}/{batch_name(8, BATCH)}", BATCH, "not named by its order"),
        (f"{run_folder(RUN)}/{batch_name(7, LOOSE)}", LOOSE, "not in the one form"),
        (f"{run_folder(RUN)}/0001-00000000-events.json", bytes(5_000_001), "over the cap"),
        (f"{run_folder(RUN)}/events/0001-a.json", b"{garbage", "not a well-formed event"),
        (f"{run_folder(RUN)}/events/notes.txt", b"", "no Runhive writes"),
        (f"{run_folder(RUN)}/0001-00000000-log.txt", b"x", "not named by its content"),
        (f"{run_folder(RUN)}/files/0001-00000000-log.txt", b"x", "not named by its content"),
        (f"{run_folder(RUN)}/log.txt", b"x", "no Runhive writes"),
        (f"runs/2020/01/01/{OTHER}/{batch_name(7, BATCH)}", BATCH, "no Runhive writes"),
        ("runs/2026/11/22/<script>/x.json", b"", "no Runhive writes"),
        ("runs/2026/11/22/caf\udce9/x", b"", "no Runhive writes"),
        ("README", b"hello", "no Runhive writes"),
        (media_path("0" * 64), b"GIF89a", "is no JPEG"),
        (f"media/aa/{'0' * 64}.jpg", jpeg(), "no Runhive writes"),
        (f"purged/{OTHER}/00000000.json", b"{}", "no well-formed stone"),
    ],
)
def test_what_does_not_belong_is_named(ledger: Ledger, plant: Plant, path: str, content: bytes, what: str) -> None:
    fill(ledger)
    plant(path, content)

    assert what in told(ledger)[path]


def test_an_event_with_more_than_this_runhive_knows_is_in_the_one_form(ledger: Ledger, plant: Plant) -> None:
    fill(ledger)
    plant(f"{run_folder(RUN)}/{batch_name(7, NEWER)}", NEWER)

    assert told(ledger) == {}


def test_a_run_without_events_is_named(ledger: Ledger, plant: Plant) -> None:
    fill(ledger)
    plant(f"{run_folder(OTHER)}/{Kept(1, str(pygit2.hash(b'x')), 'log.txt').path()}", b"x")

    assert told(ledger) == {run_folder(OTHER): "has no events"}


def test_a_commit_that_takes_something_away_is_named(ledger: Ledger, repository: Path, git: Git) -> None:
    fill(ledger)
    git(repository, "update-ref", REF, git(repository, "commit-tree", "-p", REF, "-m", "x", f"{REF}~1^{{tree}}"))

    assert [what.partition("/")[0] for what in told(ledger).values()] == ["takes away runs"]
    assert len(verify(ledger.repository).problems) == 2


def test_a_ledger_behind_its_remote_is_named(ledger: Ledger, repository: Path, git: Git) -> None:
    fill(ledger)
    git(repository, "update-ref", "refs/runhive/remotes/origin/main", REF)
    git(repository, "update-ref", REF, f"{REF}~1")

    assert told(ledger) == {
        "refs/runhive/remotes/origin/main": "has commits that the ledger lacks: run `runhive runs pull`"
    }


@pytest.mark.parametrize("kind", ["blob", "tree", "commit"])
def test_a_flipped_bit_or_a_missing_object_is_found(ledger: Ledger, repository: Path, git: Git, kind: str) -> None:
    fill(ledger)
    path = {"blob": f"{REF}:{run_folder(RUN)}", "tree": f"{REF}:runs/2026", "commit": f"{REF}~1"}[kind]
    oid = git(repository, "ls-tree", path).split()[2] if kind == "blob" else git(repository, "rev-parse", path)
    file = repository / ".git" / "objects" / oid[:2] / oid[2:]
    file.chmod(0o644)
    content = bytearray(file.read_bytes())
    content[-3] ^= 1
    file.write_bytes(content)

    with_flip = spoilt(repository)
    file.unlink()

    assert with_flip and spoilt(repository)


def spoilt(repository: Path) -> bool:
    try:
        return bool(verify(open_ledger(repository).repository).problems)
    except RunhiveError as error:
        return "\n" not in str(error)


def test_the_command_prints_json_and_fails_where_something_is_wrong(ledger: Ledger, plant: Plant) -> None:
    fill(ledger)
    clean = CliRunner().invoke(commands, ["runs", "verify", "--json"])
    assert (clean.exit_code, json.loads(clean.stdout)["problems"]) == (0, [])
    plant("evil\n\u202egpj.exe", b"")

    spoilt = CliRunner().invoke(commands, ["runs", "verify"])

    assert spoilt.exit_code == 1
    assert r"evil\n\u202egpj.exe: is a path that no Runhive writes" in spoilt.stdout


def test_a_command_tells_in_one_line_what_it_leaves_out(ledger: Ledger, plant: Plant) -> None:
    fill(ledger)
    plant(f"{run_folder(OTHER)}/0001-00000000-events.json", b"{")

    done = subprocess.run([sys.executable, "-m", "runhive", "runs", "list"], capture_output=True, text=True)

    assert (done.returncode, RUN in done.stdout) == (0, True)
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"runhive: left out: '{run_folder(OTHER)}/0001-00000000-events.json'")


def test_nothing_is_written_under_a_number_that_no_reader_knows(ledger: Ledger, plant: Plant) -> None:
    fill(ledger)
    plant(f"{run_folder(RUN)}/{Kept(999_999_999, str(pygit2.hash(b'x')), 'log.txt').path()}", b"x")
    tip = ledger.tip()

    with pytest.raises(RunhiveError, match="cannot be kept as number 1,000,000,000 of its run: start a new run"):
        ledger.append(RUN, [Event("noted", {"text": "later"})])
    assert ledger.tip() == tip
