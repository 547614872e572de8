"""From a changed parameter to a version on the site, as a team goes through it: every workflow under act."""

import sys
from typing import Any

import events
import pytest
from act import REPOSITORY, Ran

from conftest import Hive
from runhive.tracking.ledger.ledger import open_ledger
from runhive.tracking.ledger.run import Run

pytestmark = pytest.mark.slow
COMMENTS = f"repos/{REPOSITORY}/issues/7/comments"
CHECKS = f"repos/{REPOSITORY}/check-runs"


def told_by_github(hive: Hive, trained: Ran, head: str, comments: list[dict[str, Any]]) -> None:
    """What GitHub knows: the jobs of the train, the open pull request of *head*, its comments, the Pages."""
    pull = {"number": 7, "state": "open", "head": {"sha": head, "repo": {"full_name": REPOSITORY}}}
    hive.box.answers(
        {"path": ".*/actions/runs/[0-9]+/attempts/1/jobs", "body": events.jobs_of(trained, "success")},
        {"path": f".*/commits/{head}/pulls", "body": [pull]},
        {"path": COMMENTS, "body": comments},
        {"path": f".*/commits/{head}/check-runs", "body": {"check_runs": []}},
        {"path": f"repos/{REPOSITORY}", "body": {"private": True}},
        {"path": f"repos/{REPOSITORY}/pages", "body": {"public": False}},
        {"method": "POST", "path": ".*", "body": {"id": 1}},
        {"method": "PATCH", "path": ".*", "body": {"id": 1}},
    )


def runs_on_the_hub(hive: Hive) -> list[Run]:
    """The ledger as a fresh clone of the hub has it."""
    hive.clone.git("fetch", "-q", "origin", "+refs/runs/main:refs/runs/seen")
    clone = hive.clone.root.parent / f"fresh-{hive.box.runs}"
    hive.clone.git("clone", "-q", str(hive.box.hub), str(clone))
    hive.clone.git("-C", str(clone), "fetch", "-q", "origin", "refs/runs/main:refs/runs/main")
    return open_ledger(clone).runs()


def collect(hive: Hive, trained: Ran, head: str, conclusion: str = "success") -> Ran:
    event = events.workflow_run("train", trained, head, conclusion)
    return hive.box.run("collect.yml", "workflow_run", event, hive.main)


def test_a_changed_learning_rate_becomes_a_run_an_answer_a_version_and_a_site(hive: Hive) -> None:
    head = hive.pushed("change", "train.lr=0.003")
    event = events.pull_request(head, hive.main, action="labeled", labels=("run-gpu",), label="run-gpu")
    trained = hive.box.run("train.yml", "pull_request", event, head)
    assert trained.jobs == {"plan": "success", "node 0": "success"}, trained.output
    told_by_github(hive, trained, head, [])
    collected = collect(hive, trained, head)
    assert collected.jobs == {"collect": "success", "preview": "success"}, collected.output
    assert (hive.box.artifacts / str(collected.number) / "site/index.html").exists()
    (run,) = runs_on_the_hub(hive)
    assert (run.state, run.code["commit"], run.params["train"]["lr"]) == ("completed", head, 0.003)
    (comment,) = hive.box.posted(COMMENTS)
    assert run.run_id in comment["body"]
    assert [check["head_sha"] for check in hive.box.posted(CHECKS)] == [head]

    hive.clone.run(sys.executable, "pipeline", "runs", "pull")
    hive.clone.run(sys.executable, "pipeline", "runs", "apply", run.run_id)
    later = hive.pushed("change")
    event = events.pull_request(later, hive.main, action="synchronize", labels=("run-gpu",))
    again = hive.box.run("train.yml", "pull_request", event, later)
    assert again.jobs == {"plan": "success", "node 0": "success"}, again.output
    assert "Running stage 'train'" in trained.output and "Running stage 'train'" not in again.output
    before = {"id": 5, "user": {"login": "github-actions[bot]"}, "body": comment["body"]}
    told_by_github(hive, again, later, [before])
    assert collect(hive, again, later).ok
    assert [one.run_id for one in runs_on_the_hub(hive)] == [run.run_id], "nothing was trained twice"

    hive.clone.git("checkout", "-q", "main")
    hive.clone.git("merge", "-q", "--squash", "change")
    merged = hive.pushed("main")
    registered = hive.box.run("register.yml", "push", events.push(merged), merged)
    assert registered.jobs == {"register": "success", "publish": "success"}, registered.output
    assert hive.box.git("tag", "--points-at", merged) == "my-model@v1.0.0"
    (release,) = [call["words"] for call in hive.box.steps("gh") if call["words"][0] == "release"]
    names = {word.rpartition("/")[2] for word in release}
    assert {"model.onnx", "model.json", "model-card.md", "SHA256SUMS", "my-model@v1.0.0"} <= names
    nothing_new = hive.box.run("register.yml", "push", events.push(merged), merged)
    assert nothing_new.jobs == {"register": "success"}, "main without a new model"

    event = events.workflow_run("register", registered, merged, "success", branch="main", event="push")
    deployed = hive.box.run("pages.yml", "workflow_run", event, merged)
    assert deployed.jobs == {"build": "success", "deploy": "success"}, deployed.output
    pages = {file: file.read_text() for file in hive.box.pages.rglob("*.html")}
    of_run = next(text for file, text in pages.items() if file.stem == run.run_id)
    assert "my-model@v1.0.0" in of_run and f"{REPOSITORY}/pull/7" in of_run
    assert any("my-model@v1.0.0" in text for file, text in pages.items() if file.parent.name == "models")
