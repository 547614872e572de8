"""`runhive watch`, `cancel`, `resubmit`: phases, steps, live lines, the record, and how they end."""

import signal
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from clones import Clone
from hub import FakeGitHub
from told import NUMBER, URL, collector, looks, node, step, workflow_run

from runhive.report.numerals import THIN
from runhive.tracking.ledger.exchange import push_runs
from runhive.tracking.ledger.ledger import open_ledger
from runhive.tracking.ledger.run import Event
from runhive.tracking.life.broadcast import Broadcast, object_name
from runhive.tracking.storage.remote_file import default_remote

RUN = "20261125-120200-7f3a9c"
SETUP = step("Set the parameters", "01:10", "01:20")
TRAIN = "Train, evaluate, export and record what was not made before"
OVER = [node(SETUP, step(TRAIN, "02:00", "08:00"), step("Bundle what there is", "08:10", "09:00"), ended="09:30")]


def collected(clone: Clone, state: str = "completed", **data: Any) -> None:
    """What the collector does: it pushes the run's record from a clone of its own."""
    other = Clone(clone.root.parent / "collector", clone.remote)
    clone.git("clone", "-q", str(clone.remote), str(other.root))
    launcher = {"ci": "GitHub Actions", "url": URL}
    started = Event("started", {"experiment": "digits", "launcher": launcher}, time="2026-11-25T12:02:00.000+00:00")
    ended = Event("finished", {"state": state, "attempt": 1, **data}, time="2026-11-25T12:09:00.000+00:00")
    open_ledger(other.root).append(RUN, [started, ended])
    push_runs(None, restore=False, root=other.root)


def with_remote(clone: Clone) -> Path:
    """Give the clone DVC and a folder as its default remote."""
    store = clone.root.parent / "store"
    (clone.root / ".dvc").mkdir()
    (clone.root / ".dvc" / "config").write_text(
        f"[core]\n    remote = store\n['remote \"store\"']\n    url = {store}\n"
    )
    return store


def told(phase: str, lines: list[str], printed: int) -> bytes:
    """The word of a training."""
    time = datetime(2026, 11, 25, 12, 5, tzinfo=UTC)
    word = Broadcast(run_id=RUN, attempt=1, phase=phase, time=time, printed=printed, lines=lines, metrics={"loss": 0.5})
    return word.model_dump_json().encode()


WORD = told("train", ["x"], 1)


def test_phases_and_steps_are_told_as_they_come_and_the_record_ends_it(clone: Clone, github: FakeGitHub) -> None:
    github.answers(
        *looks(
            (workflow_run("queued"), [node()]),
            (workflow_run("in_progress"), [node(SETUP)]),
            (workflow_run("in_progress"), [node(SETUP, step(TRAIN, "02:00"))]),
            (workflow_run("in_progress"), [node(SETUP, step(TRAIN, "02:00", "08:00"))]),
            (workflow_run(), OVER),
        ),
        collector(),
    )  # fmt: skip
    collected(clone)

    done = clone.call("watch", str(NUMBER), "--every", "0.1")

    assert done.exit_code == 0
    assert done.stdout.replace(THIN, " ").splitlines() == [
        "no live lines: this repository has no DVC remote. GitHub serves a log after the job's end, so steps are shown",
        "queued since 12:00:00 UTC",
        "preparing since 12:01:00 UTC",
        "  step Set the parameters: success",
        "running since 12:02:00 UTC",
        f"  step {TRAIN}",
        "finalizing since 12:08:00 UTC",
        f"  step {TRAIN}: success",
        "  step Bundle what there is: success",
        "queued 1 min 00 s, preparing 1 min 00 s, running 6 min 00 s, finalizing 2 min 00 s",
        f"run {RUN} completed: `runhive runs show {RUN}`",
        "Not compared",
        "no comparison with a baseline was recorded",
    ]  # fmt: skip
    assert open_ledger(clone.root).run(RUN).state == "completed"


def test_a_run_that_failed_gives_its_cause_and_exit_code_1(clone: Clone, github: FakeGitHub) -> None:
    github.answers(*looks((workflow_run(conclusion="failure"), OVER)), collector())
    collected(clone, "failed", cause="CUDA out of memory")

    done = clone.call("watch", str(NUMBER))

    assert done.exit_code == 1
    assert done.stdout.splitlines()[-2:] == [
        f"run {RUN} failed: `runhive runs show {RUN}`",
        "Failed: CUDA out of memory",
    ]


def test_a_run_that_made_nothing_new_has_no_record_and_ends_well(clone: Clone, github: FakeGitHub) -> None:
    github.answers(*looks((workflow_run(), OVER)), collector())

    done = clone.call("watch", str(NUMBER))

    assert done.exit_code == 0
    assert done.stdout.splitlines()[-1] == f"success: nothing was trained that was not there before: {URL}"


def test_a_collector_that_failed_or_is_missing_is_said(clone: Clone, github: FakeGitHub) -> None:
    github.answers(*looks((workflow_run(), OVER)), collector("failure"))
    failed = clone.call("watch", str(NUMBER))
    github.answers(*looks((workflow_run(), OVER)))
    missing = clone.call("watch", str(NUMBER))

    assert str(failed.exception) == "the collector refused or failed, so the ledger has no record: see https://x"
    assert str(missing.exception).startswith("o/r has no workflow collect.yml")


def test_live_lines_come_from_the_dvc_remote_each_once(clone: Clone, github: FakeGitHub) -> None:
    store = with_remote(clone)
    word = store / "runhive" / object_name(NUMBER)
    word.parent.mkdir(parents=True)
    word.write_bytes(told("train", ["epoch 1/4  loss 2.1", "epoch 2/4  loss 1.7"], 5))
    running = (workflow_run("in_progress"), [node(SETUP, step(TRAIN, "02:00"))])
    github.answers(*looks(running, running, (workflow_run(), OVER)), collector())
    collected(clone)

    lines = clone.call("watch", str(NUMBER), "--every", "0.1").stdout.splitlines()

    live = [line for line in lines if "|" in line or " = " in line or line.startswith("  run ")]
    assert live == [
        f"  run {RUN}",
        "  train | … 3 lines before these",
        "  train | epoch 1/4  loss 2.1",
        "  train | epoch 2/4  loss 1.7",
        "  train = loss 0.5",
    ]
    assert not any("no live lines" in line for line in lines)


def test_the_word_of_an_attempt_before_is_not_told_again(clone: Clone, github: FakeGitHub) -> None:
    word = with_remote(clone) / "runhive" / object_name(NUMBER)
    word.parent.mkdir(parents=True)
    word.write_bytes(WORD)
    later = {**workflow_run(), "run_started_at": "2026-11-25T12:06:00Z"}
    github.answers(*looks((later, OVER)), collector())

    assert "|" not in clone.call("watch", str(NUMBER)).stdout


@pytest.mark.parametrize(
    "content",
    [b"", b"{", WORD[:-9], b"[" * 5000, WORD.replace(b'"version":1', b'"version":2'), WORD.replace(b"0.5", b"1e999"),
     b"x" * 1_000_000],
    ids=["empty", "torn", "short", "deep", "newer", "infinite", "huge"],
)  # fmt: skip
def test_a_word_that_is_none_is_passed_over(clone: Clone, github: FakeGitHub, content: bytes) -> None:
    word = with_remote(clone) / "runhive" / object_name(NUMBER)
    word.parent.mkdir(parents=True)
    word.write_bytes(content)
    github.answers(*looks((workflow_run(), OVER)), collector())

    done = clone.call("watch", str(NUMBER))

    assert done.exit_code == 0
    assert "|" not in done.stdout


def test_lines_of_strangers_cannot_steer_the_terminal(clone: Clone, github: FakeGitHub) -> None:
    word = with_remote(clone) / "runhive" / object_name(NUMBER)
    word.parent.mkdir(parents=True)
    word.write_bytes(told("train", ["\x1b[2J\u202egone\nrunhive: all is well"], 1))
    evil = step("\x1b[2J\nqueued", "02:00")
    github.answers(*looks((workflow_run(), [node(evil, step(TRAIN, "02:00", "08:00"), ended="09:00")])), collector())

    lines = clone.call("watch", str(NUMBER)).stdout.split("\n")

    assert all(line.isprintable() for line in lines)
    assert [line for line in lines if line.startswith("runhive")] == []


def test_a_reviewer_that_is_waited_for_is_said_once(clone: Clone, github: FakeGitHub) -> None:
    waiting = (workflow_run("waiting"), [node()])
    github.answers(*looks(waiting, waiting, (workflow_run(conclusion="cancelled"), [])), collector())

    done = clone.call("watch", str(NUMBER), "--every", "0.1")

    assert done.exit_code == 1
    assert [line for line in done.stdout.splitlines() if "reviewer" in line] == [
        "it waits for a reviewer of the environment"
    ]
    assert done.stdout.splitlines()[-1] == f"cancelled: no record of it: {URL}"


def test_ctrl_c_leaves_the_run_going_and_says_how_to_follow_it_again(clone: Clone, github: FakeGitHub) -> None:
    github.answers(*looks((workflow_run("in_progress"), [node(SETUP, step(TRAIN, "02:00"))])))
    process = clone.start("watch", str(NUMBER), "--every", "60")
    assert process.stdout is not None
    while "step Train" not in process.stdout.readline():
        pass
    process.send_signal(signal.SIGINT)
    said, errors = process.communicate()

    assert (process.returncode, errors) == (130, "")
    assert said.splitlines()[-1] == (
        f"the run goes on: `runhive watch {NUMBER}` follows it again, `runhive cancel {NUMBER}` ends it"
    )
    assert github.sent() == []


def test_github_that_stops_answering_leaves_the_run_going_too(clone: Clone, github: FakeGitHub) -> None:
    running = looks((workflow_run("in_progress"), [node(SETUP)]))
    for answer in running:
        answer["once"] = True
    gone = {"path": ".*", "status": 401, "message": "Bad credentials"}
    github.answers(*running, gone)

    done = clone.call("watch", str(NUMBER), "--every", "0.1")

    assert done.stdout.splitlines()[-1].startswith("the run goes on: `runhive watch")
    assert "Bad credentials" in str(done.exception)


@pytest.mark.parametrize("word", [str(NUMBER), URL, f"{URL}/job/1", "s-20261125-120000-7f3a9c", RUN, RUN[:10]])
def test_a_run_is_cancelled_by_whatever_names_it(clone: Clone, github: FakeGitHub, word: str) -> None:
    started = Event("started", {"launcher": {"ci": "GitHub Actions", "url": URL}})
    open_ledger(clone.root).append(RUN, [started])
    title = {"workflow_runs": [workflow_run("in_progress", title="train s-20261125-120000-7f3a9c")]}
    github.answers(
        {"path": f"repos/o/r/actions/runs/{NUMBER}", "body": workflow_run("in_progress")},
        {"path": "repos/o/r/actions/workflows/train.yml/runs", "body": title},
        {"method": "POST", "path": f"repos/o/r/actions/runs/{NUMBER}/cancel", "status": 202, "text": ""},
    )  # fmt: skip

    done = clone.call("cancel", word)

    assert done.exit_code == 0, done.exception
    assert [call["path"] for call in github.sent()] == [f"repos/o/r/actions/runs/{NUMBER}/cancel"]
    assert done.stdout.startswith(f"GitHub is asked to end workflow run {NUMBER}: `runhive watch {NUMBER}`")


def test_a_run_of_this_machine_is_not_github_s_to_cancel(clone: Clone, github: FakeGitHub) -> None:
    open_ledger(clone.root).append(RUN, [Event("started", {"launcher": {"command": "dvc repro"}})])

    assert str(clone.call("cancel", RUN).exception) == (
        f"run {RUN} was not made by GitHub Actions: it ends where it was started"
    )


def test_a_run_that_has_ended_is_not_cancelled_but_started_again(clone: Clone, github: FakeGitHub) -> None:
    again = {**workflow_run("queued"), "run_attempt": 2}
    path = f"repos/o/r/actions/runs/{NUMBER}"
    github.answers(
        {"path": path, "body": workflow_run(conclusion="failure"), "once": True},
        {"path": path, "body": workflow_run(conclusion="failure"), "once": True},
        {"path": path, "body": again},
        {"method": "POST", "path": f"{path}/rerun", "status": 201, "text": ""},
    )

    cancelled = clone.call("cancel", str(NUMBER))
    resubmitted = clone.call("resubmit", str(NUMBER))

    assert str(cancelled.exception) == f"workflow run {NUMBER} has ended already (failure): nothing to cancel"
    assert [call["path"] for call in github.sent()] == [f"{path}/rerun"]
    assert resubmitted.stdout.splitlines() == [
        f"attempt 2 of workflow run {NUMBER}: {URL}",
        f"`runhive watch {NUMBER}` follows it",
    ]


def test_a_run_that_goes_on_or_is_too_old_is_not_started_again(clone: Clone, github: FakeGitHub) -> None:
    path = f"repos/o/r/actions/runs/{NUMBER}"
    github.answers({"path": path, "body": workflow_run("in_progress")})
    going = clone.call("resubmit", str(NUMBER))
    refusal = {"method": "POST", "path": f"{path}/rerun", "status": 403, "message": "Unable to retry this workflow run"}
    github.answers({"path": path, "body": workflow_run()}, refusal)
    old = clone.call("resubmit", str(NUMBER))

    assert str(going.exception) == f"workflow run {NUMBER} has not ended: run `runhive cancel {NUMBER}` first"
    assert str(old.exception).startswith(f"GitHub does not start workflow run {NUMBER} again, as for those older than")


def test_a_submission_that_nobody_made_is_one_line(clone: Clone, github: FakeGitHub) -> None:
    github.answers({"path": "repos/o/r/actions/workflows/train.yml/runs", "body": {"workflow_runs": []}})

    assert str(clone.call("watch", "s-20261125-120000-7f3a9c").exception) == (
        "o/r has no workflow run of s-20261125-120000-7f3a9c: see `gh run list`"
    )


def test_the_default_remote_is_a_folder_of_its_own_below_the_remote_s_address(clone: Clone) -> None:
    store = with_remote(clone)
    default_remote(clone.root).write("live/1.json", b"first")
    default_remote(clone.root).write("live/1.json", b"second")

    assert [path.relative_to(store).as_posix() for path in store.rglob("*") if path.is_file()] == [
        "runhive/live/1.json"
    ]
    assert default_remote(clone.root).read("live/1.json", 3) == b"sec"
