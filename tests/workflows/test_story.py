"""From zero to a version on the site, as the tutorial of the first pull request says: every workflow under act."""

import re
import subprocess
from typing import Any

import events
import pytest
from act import REPOSITORY, ROOT, Ran

from conftest import Hive
from runhive.tracking.ledger.ledger import open_ledger
from runhive.tracking.ledger.run import Run

pytestmark = pytest.mark.slow
TUTORIAL = (ROOT / "docs/tutorial/first-pull-request.md").read_text()
BLOCK = re.compile(r"^```(sh|bash)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
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


def follow(hive: Hive, block: str, **words: str) -> str:
    """Run a block of the tutorial on the author's laptop, with the clone's own code."""
    for placeholder, word in words.items():
        assert placeholder in block
        block = block.replace(placeholder, word)
    return hive.clone.run("bash", "-euc", f'export PYTHONPATH="$PWD/pipeline"\n{block}')


def merge_by_squash(hive: Hive, branch: str) -> str:
    """What GitHub does for `gh pr merge --squash`; return the new commit of main."""
    clone = hive.box.folder / "merge"
    subprocess.run(["git", "clone", "-q", hive.box.hub, clone], check=True)
    author = ["-c", "user.name=GitHub", "-c", "user.email=noreply@github.com"]
    for words in (["merge", "-q", "--squash", f"origin/{branch}"], ["commit", "-qm", "A change (#7)"], ["push", "-q"]):
        subprocess.run(["git", "-C", clone, *author, *words], check=True)
    return hive.main


def test_the_tutorial_leads_from_zero_to_a_version_on_the_site(new_hive: Hive) -> None:
    hive = new_hive
    blocks = BLOCK.findall(TUTORIAL)
    remote, branch, change, take, look = [block for language, block in blocks if language == "sh"]
    assert all(block.startswith("gh ") for language, block in blocks if language == "bash"), "GitHub's part"

    follow(hive, remote, URL=str(hive.box.folder / "store"))
    follow(hive, branch)
    assert "set `lr` under `train` to `0.003`" in TUTORIAL
    hive.clone.change_params("train.lr=0.003")
    follow(hive, change)
    head = hive.box.git("rev-parse", "slower")
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

    follow(hive, take, RUN=run.run_id)
    later = hive.box.git("rev-parse", "slower")
    event = events.pull_request(later, hive.main, action="synchronize", labels=("run-gpu",))
    again = hive.box.run("train.yml", "pull_request", event, later)
    assert again.jobs == {"plan": "success", "node 0": "success"}, again.output
    assert "Running stage 'train'" in trained.output and "Running stage" not in again.output, "nothing twice"
    before = {"id": 5, "user": {"login": "github-actions[bot]"}, "body": comment["body"]}
    told_by_github(hive, again, later, [before])
    recollected = collect(hive, again, later)
    assert recollected.ok, recollected.output
    assert [one.run_id for one in runs_on_the_hub(hive)] == [run.run_id]
    assert len(hive.box.posted(COMMENTS)) == 1

    merged = merge_by_squash(hive, "slower")
    registered = hive.box.run("register.yml", "push", events.push(merged), merged)
    assert registered.jobs == {"register": "success", "publish": "success"}, registered.output
    assert hive.box.git("tag", "--points-at", merged) == "my-model@v1.0.0"
    (release,) = [call["words"] for call in hive.box.steps("gh") if call["words"][0] == "release"]
    names = {word.rpartition("/")[2] for word in release}
    assert {"model.onnx", "model.json", "model-card.md", "SHA256SUMS", "my-model@v1.0.0"} <= names
    nothing_new = hive.box.run("register.yml", "push", events.push(merged), merged)
    assert nothing_new.jobs == {"register": "success"}, nothing_new.output

    event = events.workflow_run("register", registered, merged, "success", branch="main", event="push")
    deployed = hive.box.run("pages.yml", "workflow_run", event, merged)
    assert deployed.jobs == {"build": "success", "deploy": "success"}, deployed.output
    pages = {file: file.read_text() for file in hive.box.pages.rglob("*.html")}
    of_run = next(text for file, text in pages.items() if file.stem == run.run_id)
    assert "my-model@v1.0.0" in of_run
    assert f'<a href="https://github.com/{REPOSITORY}/pull/7">pull request 7</a>' in of_run
    assert any("my-model@v1.0.0" in text for file, text in pages.items() if "models" in file.parts)
    assert "my-model@v1.0.0" in follow(hive, look).replace("#", "@")
