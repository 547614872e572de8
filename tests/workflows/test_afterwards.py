"""What follows a train, and what does not: collect, resume and pages under act."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import events
import psutil
import pytest
from act import REPOSITORY, Ran
from team import COMMENTS, Hive, collect, ledger_on_the_hub, told_by_github

from runhive.actions.checkpoints import ARTIFACT

RUN = "20261125-101112-abcdef"
ENDED = Ran(901, "2026-11-25T10:00:00Z", "2026-11-25T10:10:00Z", {}, "", "")
DISPATCHES = f"repos/{REPOSITORY}/actions/workflows/11/dispatches"


@pytest.mark.parametrize(
    ("workflow", "conclusion", "repository"),
    [
        ("collect", "success", "stranger/bees"),
        ("collect", "failure", None),
        ("collect", "skipped", REPOSITORY),
        ("resume", "cancelled", "stranger/bees"),
        ("resume", "success", REPOSITORY),
        ("pages", "success", "stranger/bees"),
        ("pages", "failure", REPOSITORY),
    ],
)
def test_nothing_follows_a_fork_nor_what_there_is_nothing_to_follow_of(
    workflow: str, conclusion: str, repository: str | None, still_hive: Hive
) -> None:
    main = still_hive.main
    event = events.workflow_run("train", ENDED, main, conclusion, repository=repository)

    assert still_hive.box.run(f"{workflow}.yml", "workflow_run", event, main).jobs == {}


def test_a_public_site_of_a_private_repository_is_not_built(still_hive: Hive) -> None:
    still_hive.box.answers(
        {"path": f"repos/{REPOSITORY}", "body": {"private": True}},
        {"path": f"repos/{REPOSITORY}/pages", "body": {"public": True}},
    )
    ran = still_hive.box.run("pages.yml", "push", events.push(still_hive.main), still_hive.main)

    assert ran.jobs == {"build": "failure"}
    assert "set pages.public to true in params.yaml if that is meant" in ran.output
    assert not still_hive.box.pages.exists()


def test_a_merge_without_a_model_registers_nothing(still_hive: Hive) -> None:
    ran = still_hive.box.run("register.yml", "push", events.push(still_hive.main), still_hive.main)

    assert ran.jobs == {"register": "success"}, ran.output
    assert "holds no model" in ran.output and still_hive.box.git("tag") == ""


def test_a_train_that_was_cut_off_is_dispatched_again_with_what_was_asked_of_it(still_hive: Hive) -> None:
    asked = {"compute": "gpu", "nodes": "", "set": "train.lr=0.1", "submission": "s1"}
    left = still_hive.box.artifacts / str(ENDED.number)
    (left / "runhive-asked").mkdir(parents=True)
    (left / "runhive-asked/asked.json").write_text(json.dumps(asked))
    cut_off(still_hive, ENDED, still_hive.main, "main", RUN)
    event = events.workflow_run("train", ENDED, still_hive.main, "cancelled", branch="main", event="workflow_dispatch")
    ran = still_hive.box.run("resume.yml", "workflow_run", event, still_hive.main)

    assert ran.jobs == {"resume": "success"}, ran.output
    assert still_hive.box.posted(DISPATCHES) == [{"ref": "main", "inputs": {**asked, "resume": RUN}}]


@pytest.mark.slow
def test_a_train_that_was_cut_off_goes_on_as_the_same_run_and_is_collected_and_answered_as_that(hive: Hive) -> None:
    head = hive.pushed("change", "train.epochs=40")
    event = events.pull_request(head, hive.main, action="labeled", labels=("run-gpu",), label="run-gpu")
    with machine_taken_away(hive.box.folder / "home"):
        first = hive.box.run("train.yml", "pull_request", event, head)
    assert first.jobs == {"plan": "success", "node 0": "failure"}, first.output
    assert "Training was cancelled" in first.summaries
    (kept,) = (hive.box.artifacts / str(first.number)).glob(f"{ARTIFACT}*")
    run_id = kept.name.removeprefix(ARTIFACT)
    told_by_github(hive, first, head, [], "cancelled")
    assert collect(hive, first, head, "cancelled", ("collect",)).ok
    assert [(run.run_id, run.state) for run in ledger_on_the_hub(hive).runs()] == [(run_id, "canceled")]
    (comment,) = hive.box.posted(COMMENTS)
    assert "Training was cancelled" in comment["body"]

    cut_off(hive, first, head, "change", run_id)
    event = events.workflow_run("train", first, head, "cancelled")
    assert hive.box.run("resume.yml", "workflow_run", event, hive.main).jobs == {"resume": "success"}
    (sent,) = hive.box.posted(DISPATCHES)
    assert (sent["ref"], sent["inputs"]["resume"]) == ("change", run_id)
    again = hive.box.run("train.yml", "workflow_dispatch", {"inputs": sent["inputs"]}, head)
    assert again.jobs == {"plan": "success", "node 0": "success"}, again.output
    assert f"going on with run {run_id}, attempt 2" in again.output
    told_by_github(hive, again, head, [{"id": 5, "user": {"login": "github-actions[bot]"}, **comment}])
    assert collect(hive, again, head, jobs=("collect",), event="workflow_dispatch").ok
    ledger = ledger_on_the_hub(hive)
    (run,) = ledger.runs()
    assert (run.run_id, run.state, run.attempt) == (run_id, "completed", 2)
    assert len((ledger.file(run_id, "history.csv") or b"").splitlines()) == 1 + 40, "no epoch twice, none left out"
    (changed,) = hive.box.patched(f"repos/{REPOSITORY}/issues/comments/5")
    assert run_id in changed["body"] and "Training was cancelled" not in changed["body"]
    assert re.search(r"\| attempts +\|.*\b2 ", changed["body"]), changed["body"]


def cut_off(hive: Hive, ran: Ran, head: str, branch: str, run_id: str) -> None:
    """What GitHub says of a train whose runner was taken away."""
    name = ARTIFACT + run_id
    origin = {"id": ran.number, "head_sha": head, "head_repository_id": 1, "repository_id": 1}
    artifact: dict[str, Any] = {"name": name, "expired": False, "created_at": ran.ended, "workflow_run": origin}
    hive.box.answers(
        {"path": f".*/actions/runs/{ran.number}/artifacts", "body": {"artifacts": [artifact]}},
        {"path": ".*/actions/artifacts", "body": {"artifacts": [artifact]}},
        {"path": f".*/actions/runs/{ran.number}/jobs", "body": events.jobs_of(ran, "cancelled")},
        {
            "path": ".*/check-runs/[0-9]+/annotations",
            "body": [{"message": "The runner has received a shutdown signal."}],
        },
        {"path": f".*/git/ref/heads/{branch}", "body": {"object": {"sha": head}}},
        {"path": ".*/actions/workflows/11/runs", "body": {"workflow_runs": []}},
        {"method": "POST", "path": DISPATCHES, "text": ""},
    )


@contextmanager
def machine_taken_away(home: Path) -> Iterator[None]:
    """Ask the training process that runs below *home* to end when it has some checkpoints, as a lost machine does."""
    over = threading.Event()
    watching = threading.Thread(target=_end_after_some_epochs, args=(home, over))
    watching.start()
    try:
        yield
    finally:
        over.set()
        watching.join()


def _end_after_some_epochs(home: Path, over: threading.Event) -> None:
    while not list(home.glob(".cache/act/*/hostexecutor/.runhive/checkpoints/*/epoch-00000[2-9]-*.sha256")):
        if over.wait(0.02):
            return
    for process in psutil.process_iter(["cmdline", "cwd"]):
        words = process.info["cmdline"] or []
        if words[1:3] == ["pipeline", "train"] and str(home) in (process.info["cwd"] or ""):
            process.terminate()
