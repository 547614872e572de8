"""From zero to a version on the site, as the tutorial of the first pull request says: every workflow under act."""

import csv
import math
import re
import shutil
import subprocess
from typing import Any

import events
import pytest
from act import REPOSITORY, ROOT, Ran
from breaks import DISPATCHES, cut_off, machine_taken_away
from team import COMMENTS, Hive, collect, ledger_on_the_hub, told_by_github

from runhive.actions.checkpoints import ARTIFACT
from runhive.files import sha256_of
from runhive.tracking.ledger.ledger import Ledger

pytestmark = pytest.mark.slow
TUTORIAL = (ROOT / "docs/tutorial/first-pull-request.md").read_text()
BLOCK = re.compile(r"^```(sh|bash)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMENT = f"repos/{REPOSITORY}/issues/comments/5"
EPOCHS = 12  # time to be interrupted in
CHECKS = f"repos/{REPOSITORY}/check-runs"
MAKE = """\
import json, os, sys
with open(os.environ["BOX"] + "/steps.jsonl", "a") as calls:
    calls.write(json.dumps({"action": "make", "words": sys.argv[1:]}) + "\\n")
"""
VERDICT = re.compile(
    r"\*\*(?P<won>\d+) images? won, (?P<lost>\d+) lost\*\* of (?P<images>\d+): (?P<points>\S+) points of accuracy, "
    r"95 % interval (?P<low>\S+) to (?P<high>\S+), two-sided McNemar p (?P<sign>=|&lt;) (?P<p>[0-9.]+)\."
)


def follow(hive: Hive, block: str, **words: str) -> str:
    """Run a block of the tutorial on the author's laptop, with the clone's own code."""
    for placeholder, word in words.items():
        assert placeholder in block
        block = block.replace(placeholder, word)
    return hive.clone.run("bash", "-euc", f'export PYTHONPATH="$PWD/pipeline"\n{block}')


def by_us(comment: dict[str, Any]) -> dict[str, Any]:
    """The comment as GitHub has it, by the workflow's own login."""
    return {"id": 5, "user": {"login": "github-actions[bot]"}, "body": comment["body"]}


def merge_by_squash(hive: Hive, branch: str) -> str:
    """What GitHub does for `gh pr merge --squash`; return the new commit of main."""
    clone = hive.box.folder / "merge"
    subprocess.run(["git", "clone", "-q", hive.box.hub, clone], check=True)
    author = ["-c", "user.name=GitHub", "-c", "user.email=noreply@github.com"]
    for words in (["merge", "-q", "--squash", f"origin/{branch}"], ["commit", "-qm", "A change (#7)"], ["push", "-q"]):
        subprocess.run(["git", "-C", clone, *author, *words], check=True)
    return hive.main


def register(hive: Hive, commit: str, *jobs: str) -> str:
    """Run the workflow register for a push of *commit* to main, and return the version that the commit has then."""
    ran = hive.box.run("register.yml", "push", events.push(commit), commit)
    assert ran.jobs == dict.fromkeys(jobs, "success"), ran.output
    return hive.box.git("tag", "--points-at", commit)


def check_ci(hive: Hive, event: dict[str, Any], commit: str) -> None:
    """Both jobs of ci run; the suite goes to a stand-in for make, and the machine has what the DVC remote has."""
    hive.box.program("make", MAKE)
    cache = hive.box.folder / "cache"
    shutil.copytree(hive.box.folder / "store", cache)
    hive.box.environment["RUNHIVE_DVC_CACHE"] = str(cache)
    ran = hive.box.run("ci.yml", "pull_request", event, commit)
    del hive.box.environment["RUNHIVE_DVC_CACHE"]

    assert ran.jobs == {"test": "success", "demo": "success"}, ran.output
    assert [call["words"] for call in hive.box.steps("make")] == [["test"]]
    assert "Running stage 'report'" in ran.output and "Running stage 'train'" not in ran.output, "the shared cache"
    assert (hive.box.artifacts / str(ran.number) / "site/index.html").exists()


def check_release(hive: Hive, title: str) -> None:
    """The release has the model, its card and the sums of all its files, and each was attested."""
    assets = hive.box.artifacts / str(hive.box.runs) / "runhive-release"
    names = sorted(file.name for file in assets.iterdir())
    (attested,) = hive.box.steps("attest")
    released = hive.box.steps("gh")[-1]["words"]
    sums = dict(line.split()[::-1] for line in (assets / "SHA256SUMS").read_text().splitlines())

    assert {"model.onnx", "model.json", "model-card.md", "SHA256SUMS"} <= set(names)
    assert sums == {name: sha256_of(assets / name) for name in names if name != "SHA256SUMS"}
    assert attested["subject"].endswith("/assets/*")
    assert released[:3] == ["release", "create", title] and "--verify-tag" in released
    assert sorted(word.rpartition("/")[2] for word in released if "/assets/" in word) == sorted(
        [*names, "model-card.md"]
    )
    assert title in (assets / "model-card.md").read_text()


def answers(ledger: Ledger, run_id: str) -> dict[str, bool]:
    """Whether the run's answer to each image is right."""
    rows = csv.DictReader((ledger.file(run_id, "predictions.csv") or b"").decode().splitlines())
    return {row["path"]: row["label"] == row["predicted"] for row in rows}


def check_verdict(text: str, before: dict[str, bool], after: dict[str, bool]) -> None:
    """What *text* says of won and lost images is what the answers of both runs give, by the textbook's formulas."""
    won = {path for path in after if after[path] and not before[path]}
    lost = {path for path in after if before[path] and not after[path]}
    n, flipped, fewer = len(after), len(won | lost), min(len(won), len(lost))
    p = min(1.0, 2 * sum(math.comb(flipped, k) for k in range(fewer + 1)) / 2**flipped)  # exact binomial
    difference = (len(won) - len(lost)) / (n + 2)  # Agresti and Min 2005
    margin = 1.96 * math.sqrt((flipped + 1) / (n + 2) - difference**2) / math.sqrt(n + 2)
    assert flipped, "the two answer alike: nothing is shown"
    said = VERDICT.search(text)
    assert said, text
    numbers = {name: float(said[name].replace("−", "-")) for name in ("points", "low", "high", "p")}

    assert (int(said["won"]), int(said["lost"]), int(said["images"])) == (len(won), len(lost), n)
    assert numbers["points"] == pytest.approx(100 * (len(won) - len(lost)) / n, abs=0.06)
    assert numbers["low"] == pytest.approx(100 * max(-1.0, difference - margin), abs=0.1)
    assert numbers["high"] == pytest.approx(100 * min(1.0, difference + margin), abs=0.1)
    assert p < 0.001 if said["sign"] == "&lt;" else numbers["p"] == pytest.approx(p, rel=0.05)
    assert sum(f"`{path}`" in text for path in won | lost) == min(12, flipped)


def trained_with_a_break(hive: Hive, event: dict[str, Any], head: str) -> tuple[Ran, Ran]:
    """Train on a machine that is taken away, then again as `resume` dispatches it; the one collected, the other not."""
    with machine_taken_away(hive.box.folder / "home"):
        first = hive.box.run("train.yml", "pull_request", event, head)
    assert first.jobs == {"plan": "success", "node 0": "failure"}, first.output
    (kept,) = (hive.box.artifacts / str(first.number)).glob(f"{ARTIFACT}*")
    run_id = kept.name.removeprefix(ARTIFACT)
    told_by_github(hive, first, head, [], "cancelled", branch="slower")
    assert collect(hive, first, head, "cancelled", ("collect",), branch="slower").ok
    assert [run.state for run in ledger_on_the_hub(hive).runs() if run.run_id == run_id] == ["canceled"]

    cut_off(hive, first, head, "slower", run_id)
    ended = events.workflow_run("train", first, head, "cancelled", branch="slower")
    assert hive.box.run("resume.yml", "workflow_run", ended, hive.main).jobs == {"resume": "success"}
    (sent,) = hive.box.posted(DISPATCHES)
    assert sent == {
        "ref": "slower",
        "inputs": {"compute": "", "nodes": "", "set": "", "submission": "", "resume": run_id},
    }
    again = hive.box.run("train.yml", "workflow_dispatch", {"inputs": sent["inputs"]}, head)
    assert again.jobs == {"plan": "success", "node 0": "success"}, again.output
    assert f"going on with run {run_id}, attempt 2" in again.output
    return first, again


def test_the_tutorial_leads_from_zero_to_a_version_on_the_site(new_hive: Hive) -> None:
    hive = new_hive
    blocks = BLOCK.findall(TUTORIAL)
    remote, first, branch, change, take, look = [block for language, block in blocks if language == "sh"]
    assert all(block.startswith("gh ") for language, block in blocks if language == "bash"), "GitHub's part"

    hive.pushed(
        "main", "export.variants=[fp32, fp16]", "export.most_changed.fp16=1.0", f"train.epochs={EPOCHS}",
        "train.lr=0.0000001",  # hardly learns: any change wins images
    )  # fmt: skip
    follow(hive, remote, URL=str(hive.box.folder / "store"))
    follow(hive, first)
    base_commit = hive.main
    (base,) = ledger_on_the_hub(hive).runs()
    assert register(hive, base_commit, "register", "publish") == "my-model@v1.0.0"

    follow(hive, branch)
    assert "set `lr` under `train` to `0.003`" in TUTORIAL
    hive.clone.change_params("train.lr=0.003")
    follow(hive, change)
    head = hive.box.git("rev-parse", "slower")
    event = events.pull_request(head, base_commit, action="labeled", labels=("run-gpu",), label="run-gpu")
    cut, trained = trained_with_a_break(hive, event, head)
    (comment,) = hive.box.posted(COMMENTS)
    assert "Training was cancelled" in cut.summaries and "Training was cancelled" in comment["body"]
    told_by_github(hive, trained, head, [by_us(comment)], branch="slower")
    collected = collect(hive, trained, head, jobs=("collect",), branch="slower", event="workflow_dispatch")
    assert collected.ok, collected.output
    ledger = ledger_on_the_hub(hive)
    (run,) = [one for one in ledger.runs() if one.run_id != base.run_id]
    assert (run.state, run.attempt, run.code["commit"], run.params["train"]["lr"]) == ("completed", 2, head, 0.003)
    assert len((ledger.file(run.run_id, "history.csv") or b"").splitlines()) == 1 + EPOCHS, "none twice, none left out"
    (answer,) = hive.box.patched(COMMENT)
    for told in (answer["body"], collected.summaries, trained.summaries):
        assert run.run_id in told and re.search(r"\| attempts +\|.*\b2 ", told), told
        check_verdict(told, answers(ledger, base.run_id), answers(ledger, run.run_id))
    assert "This is the job's own word" in trained.summaries
    assert {check["head_sha"] for check in hive.box.posted(CHECKS)} == {head}

    follow(hive, take, RUN=run.run_id)
    later = hive.box.git("rev-parse", "slower")
    event = events.pull_request(later, base_commit, action="synchronize", labels=("run-gpu",))
    again = hive.box.run("train.yml", "pull_request", event, later)
    assert again.jobs == {"plan": "success", "node 0": "success"}, again.output
    assert "Running stage 'train'" in trained.output and "Running stage" not in again.output, "nothing twice"
    told_by_github(hive, again, later, [by_us(answer)], branch="slower")
    recollected = collect(hive, again, later, jobs=("collect",), branch="slower")
    assert recollected.ok, recollected.output
    assert {one.run_id for one in ledger_on_the_hub(hive).runs()} == {base.run_id, run.run_id}
    assert len(hive.box.posted(COMMENTS)) == 1, "one comment, changed in place"

    check_ci(hive, event, later)

    merged = merge_by_squash(hive, "slower")
    hive.box.variables["RUNHIVE_ATTEST"] = "true"
    assert register(hive, merged, "register", "publish") == "my-model@v1.1.0"
    check_release(hive, "my-model@v1.1.0")
    assert register(hive, merged, "register") == "my-model@v1.1.0", "nothing new"

    ended = Ran(hive.box.runs, "2026-11-25T10:00:00Z", "2026-11-25T10:10:00Z", {}, "", "")
    event = events.workflow_run("register", ended, merged, "success", branch="main", event="push")
    deployed = hive.box.run("pages.yml", "workflow_run", event, merged)
    assert deployed.jobs == {"build": "success", "deploy": "success"}, deployed.output
    pages = {file: file.read_text() for file in hive.box.pages.rglob("*.html")}
    of_run = next(text for file, text in pages.items() if file.stem == run.run_id)
    assert "my-model@v1.1.0" in of_run
    assert f'<a href="https://github.com/{REPOSITORY}/pull/7">pull request 7</a>' in of_run
    assert any("my-model@v1.1.0" in text for file, text in pages.items() if "models" in file.parts)
    assert "my-model@v1.1.0" in follow(hive, look).replace("#", "@")
