"""From zero to a version on the site, as the tutorial of the first pull request says: every workflow under act."""

import re
import subprocess

import events
import pytest
from act import REPOSITORY, ROOT
from team import COMMENTS, Hive, collect, runs_on_the_hub, told_by_github

pytestmark = pytest.mark.slow
TUTORIAL = (ROOT / "docs/tutorial/first-pull-request.md").read_text()
BLOCK = re.compile(r"^```(sh|bash)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CHECKS = f"repos/{REPOSITORY}/check-runs"


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
