"""From a job's bundle to the hub's ledger and the pull request."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from forging import change, put, relist
from hive import BASE_RUN, BRANCH_LR, COMMENTS, RUN, URL, WORKFLOW, Hive
from shop import GOOD, git, worse

from runhive.actions.comment import MARKER
from runhive.actions.standing import other_parameters
from runhive.params import parse_params
from runhive.presets import presets, with_changes
from runhive.report.home import home
from runhive.report.score import score_of
from runhive.report.summary import summarize
from runhive.report.templates import render
from runhive.tracking.comparison import compare_runs
from runhive.tracking.ledger.ledger import open_ledger
from runhive.tracking.ledger.run import Event
from runhive.tracking.ledger.verify import verify


def test_a_run_lands_in_the_hubs_ledger_and_the_pull_request_is_answered(trained: Hive, tmp_path: Path) -> None:
    code_before = git(trained.hub, "rev-parse", "main")
    said = trained.collect()
    git(trained.base.parent, "clone", "--quiet", "hub.git", "reader")
    reader = trained.base.parent / "reader"
    trained.call(reader, "runs", "pull")
    ledger = open_ledger(reader)
    run = ledger.run(RUN)

    assert said.splitlines()[0] == f"run {RUN} (completed) is in the ledger"
    assert run.metrics["val.accuracy"] == pytest.approx(25 / 30)
    assert (run.phases["queued"], run.began["queued"]) == (90, "2026-11-23T14:20:00+00:00")
    assert (run.collected["pull_request"], run.collected["workflow"]["url"]) == (7, URL)
    assert run.collected["metrics"]["val.accuracy"] == pytest.approx(25 / 30)
    assert run.collected["verdict"]["admitted"] is False
    assert verify(ledger.repository).problems == ()
    assert trained.comment().splitlines()[1] == "### Worse than the base: the gate refuses it"
    assert "**0 images won, 5 lost** of 30" in trained.comment()
    assert (trained.check()["conclusion"], trained.check()["head_sha"]) == ("failure", trained.head)
    assert "pull request  7" in trained.call(reader, "runs", "show", RUN)
    assert git(trained.hub, "rev-parse", "main") == code_before


def test_an_equal_model_passes_the_gate(hive: Hive) -> None:
    hive.train(GOOD)
    hive.answers()
    hive.collect()

    assert hive.check()["conclusion"] == "success"
    assert hive.comment().splitlines()[1] == "### Not shown to differ from the base: the gate lets it in"


def test_collected_twice_it_adds_nothing(trained: Hive) -> None:
    trained.collect()
    body, told = trained.comment(), trained.check()
    before = trained.hub_tip()
    trained.answers(
        {"path": COMMENTS, "body": [{"id": 5, "user": {"login": "github-actions[bot]"}, "body": body}]},
        {
            "path": "repos/team/bees/commits/[0-9a-f]{40}/check-runs",
            "body": {"check_runs": [{"id": 2, **told}]},
        },
    )
    sent = len(trained.github.sent())
    said = trained.collect()

    assert said.splitlines()[:2] == [
        f"run {RUN} (completed) is already in the ledger",
        "pull request 7: the comment stays as it is",
    ]
    assert trained.hub_tip() == before
    assert len(trained.github.sent()) == sent


def test_a_comment_of_ours_is_changed_and_one_of_somebody_else_with_the_marker_is_not(trained: Hive) -> None:
    comments = [
        {"id": 3, "user": {"login": "mallory"}, "body": f"{MARKER}\nnot ours"},
        {"id": 4, "user": {"login": "github-actions[bot]"}, "body": "another workflow's"},
        {"id": 5, "user": {"login": "github-actions[bot]"}, "body": f"{MARKER}\nthe one before"},
    ]
    trained.answers({"path": COMMENTS, "body": comments})
    trained.collect()
    changed = [(call["method"], call["path"]) for call in trained.github.sent() if "comments" in call["path"]]

    assert changed == [("PATCH", "repos/team/bees/issues/comments/5")]


def test_a_laptop_that_pushes_meanwhile_is_not_overwritten(trained: Hive) -> None:
    """The collector's ledger is behind the hub's by a run."""
    git(trained.base.parent, "clone", "--quiet", "hub.git", "laptop")
    laptop = trained.base.parent / "laptop"
    trained.call(laptop, "runs", "pull")
    open_ledger(laptop).append("20261124-101010-abcdef", [Event("started", {"experiment": "mine"})])
    trained.call(laptop, "runs", "push")
    trained.collect()
    trained.call(laptop, "runs", "pull")

    assert {run.run_id for run in open_ledger(laptop).runs()} == {BASE_RUN, RUN, "20261124-101010-abcdef"}


def test_when_no_pull_request_has_the_commit_the_run_is_kept_and_the_check_added(trained: Hive) -> None:
    trained.answers({"path": "repos/team/bees/commits/[0-9a-f]{40}/pulls", "body": []})
    trained.collect()

    assert trained.ledger.run(RUN).collected["pull_request"] is None
    assert [call["path"] for call in trained.github.sent()] == ["repos/team/bees/check-runs"]


def test_the_base_is_scored_from_its_bytes_or_else_by_the_answers_that_the_ledger_keeps(trained: Hive) -> None:
    shutil.rmtree(trained.base / ".dvc/cache")
    trained.collect()

    assert "**0 images won, 5 lost** of 30" in trained.comment()


@pytest.mark.parametrize(
    ("conclusion", "started", "state", "cause"),
    [
        ("cancelled", True, "canceled", "cancelled"),
        ("cancelled", False, "canceled", "before a runner took it"),
        ("failure", True, "lost", "its runner vanished"),
        ("timed_out", True, "failed", "ran out of time"),
        ("success", True, "failed", "left no bundle"),
    ],
)
def test_a_workflow_run_without_a_bundle_ends_as_a_run(
    hive: Hive, conclusion: str, started: bool, state: str, cause: str
) -> None:
    job = {"name": "node (0)", "conclusion": conclusion, "created_at": "2026-11-23T14:20:05Z"}
    ran = {"runner_name": "box", "started_at": "2026-11-23T14:23:00Z", "completed_at": "2026-11-23T14:39:00Z"}
    hive.answers(job=job | (ran if started else {}))
    hive.collect(bundle=hive.folder / "nothing", conclusion=conclusion, updated_at="2026-11-23T14:40:00Z")
    first = hive.hub_tip()
    hive.collect(bundle=hive.folder / "nothing", conclusion=conclusion, updated_at="2026-11-23T14:40:00Z")
    run = next(run for run in hive.ledger.runs() if run.run_id != BASE_RUN)

    assert hive.hub_tip() == first
    assert run.run_id.startswith("20261123-142000-")
    assert (run.state, run.started_at) == (state, "2026-11-23T14:20:00+00:00")
    assert cause in str(run.cause)
    assert run.ended_at == ("2026-11-23T14:39:00+00:00" if started else "2026-11-23T14:40:00+00:00")
    assert run.phases == ({"queued": 180} if started else {})
    assert run.launcher["url"] == URL and run.code["commit"] == hive.head
    assert hive.check()["conclusion"] == "failure"
    assert hive.comment().splitlines()[1].startswith("### Training ")


def test_where_no_training_was_asked_for_nothing_is_recorded(hive: Hive) -> None:
    hive.answers(job={"name": "train / node (0)", "conclusion": "skipped"})
    before = hive.hub_tip()

    assert "nothing to collect" in hive.collect(bundle=hive.folder / "nothing", conclusion="success")
    assert "nothing to collect" in hive.collect(bundle=hive.folder / "nothing", conclusion="skipped")
    assert hive.hub_tip() == before and hive.github.sent() == []


def test_a_second_attempt_goes_on_with_the_run_and_an_older_event_changes_nothing(hive: Hive) -> None:
    hive.answers()
    nothing = hive.folder / "nothing"
    hive.collect(bundle=nothing, conclusion="cancelled")
    again = {"run_attempt": 2, "run_started_at": "2026-11-23T15:00:00Z", "conclusion": "timed_out"}
    hive.collect(bundle=nothing, **again)
    before = hive.hub_tip()
    said = hive.collect(bundle=nothing, conclusion="cancelled", code=1)
    run = next(run for run in hive.ledger.runs() if run.run_id != BASE_RUN)

    assert "attempt 2 of the workflow run is collected" in said
    assert (run.state, run.attempt, hive.hub_tip()) == ("failed", 2, before)


def test_a_run_that_failed_is_kept_with_its_cause_and_no_model(hive: Hive) -> None:
    started = {"experiment": "colours", "launcher": {"url": URL}}
    failed = {"state": "failed", "attempt": 1, "cause": "loss is <b>NaN</b>"}
    hive.box.ledger.append(
        RUN, [Event("started", started), Event("finished", failed)], {"log.txt": b"epoch 1\nkilled\n"}
    )
    hive.pack("--outcome", "failure")
    hive.answers()
    hive.collect(conclusion="failure")

    assert hive.ledger.run(RUN).cause == "loss is <b>NaN</b>"
    assert hive.comment().splitlines()[1:4] == ["### Training failed", "", "Loss is &lt;b&gt;NaN&lt;/b&gt;."]
    assert "<summary>The last lines that it printed</summary>\n\n```text\nepoch 1\nkilled\n```" in hive.comment()
    assert hive.check()["conclusion"] == "failure"


def test_a_run_that_was_killed_before_it_could_say_so_ends_as_its_workflow_did(hive: Hive) -> None:
    hive.box.ledger.append(RUN, [Event("started", {"experiment": "colours", "launcher": {"url": URL}})])
    hive.pack("--outcome", "cancelled")
    hive.answers()
    hive.collect(conclusion="cancelled")

    assert hive.ledger.run(RUN).state == "canceled"


def test_a_cancelled_run_that_is_resumed_elsewhere_is_the_same_run(hive: Hive) -> None:
    """The second box never saw the hub's ledger: it has the run from its checkpoint."""
    began = Event("started", {"experiment": "colours", "launcher": {"url": URL}}, time="2026-11-23T14:22:02+00:00")
    hive.box.ledger.append(RUN, [began])
    hive.pack("--outcome", "cancelled")
    hive.answers()
    hive.collect(conclusion="cancelled")
    git(hive.folder / "box", "update-ref", "-d", "refs/runs/main")
    again = {"html_url": f"{URL}9", "id": WORKFLOW * 10 + 9}
    resumed = Event("resumed", {"attempt": 2, "launcher": {"url": again["html_url"]}})
    failed = Event("finished", {"state": "failed", "attempt": 2, "cause": "no space left"})
    hive.box.ledger.append(RUN, [began, resumed, failed])
    hive.pack("--outcome", "failure", GITHUB_RUN_ID=str(again["id"]))
    hive.collect(conclusion="failure", **again)
    run = hive.ledger.run(RUN)

    assert (run.state, run.attempt, run.cause) == ("failed", 2, "no space left")
    assert run.collected["workflow"]["id"] == again["id"]


def test_a_bundle_of_a_job_that_made_no_run_has_none(hive: Hive) -> None:
    said = hive.pack("--outcome", "failure")
    bundle = json.loads((hive.bundle / "bundle.json").read_text())

    assert "no run" in said
    assert (bundle["run"], bundle["runs"], bundle["files"]) == (None, [], [])
    assert (bundle["workflow_run"], bundle["attempt"], bundle["commit"]) == (WORKFLOW, 1, hive.head)


def test_a_model_whose_run_nobody_pushed_is_said_so_and_fails_nothing(hive: Hive) -> None:
    hive.pack()
    hive.answers()
    before = hive.hub_tip()

    assert "run `runhive runs push` where it was trained" in hive.collect(code=1)
    assert (hive.check()["conclusion"], hive.hub_tip()) == ("action_required", before)


def test_a_fork_is_not_collected(trained: Hive) -> None:
    before = trained.hub_tip()

    assert "is a fork" in trained.collect(code=1, head_repository={"full_name": "evil/bees"})
    assert trained.hub_tip() == before and trained.github.calls() == []


def test_images_that_are_not_here_are_asked_for_and_nothing_is_written(trained: Hive) -> None:
    shutil.rmtree(trained.base / "data/images")
    before = trained.hub_tip()

    assert "dvc" in trained.collect(code=1)
    assert trained.hub_tip() == before and trained.github.sent() == []


def test_the_summary_of_the_job_is_the_answer(trained: Hive, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary"))
    trained.collect()

    marks, _, text = trained.comment().partition("\n")

    assert marks == f"{MARKER}<!-- asked 2026-11-23T14:20:00+00:00 by {WORKFLOW}.1 -->"
    assert text == (tmp_path / "summary").read_text()


def test_two_runs_of_the_ledger_give_the_same_answer_as_markdown(trained: Hive) -> None:
    trained.collect()
    said = trained.call(trained.base, "compare", BASE_RUN, RUN, "--markdown")

    assert said.startswith("### Worse than the base") or said.startswith("### Not shown to differ")
    assert "**0 images won, 5 lost** of 30" in said


def earlier(hive: Hive) -> dict[str, object]:
    """The end of a workflow run of the same commit that was asked for before."""
    id = WORKFLOW - 1
    return {
        "id": id, "html_url": URL.replace(str(WORKFLOW), str(id)), "conclusion": "cancelled",
        "run_started_at": "2026-11-23T14:19:59Z",
    }  # fmt: skip


def remember(trained: Hive) -> None:
    """GitHub has the comment and the check that were sent."""
    comment = {"id": 5, "user": {"login": "github-actions[bot]"}, "body": trained.comment()}
    checks = {"check_runs": [{"id": 2, **trained.check()}]}
    trained.answers(
        {"path": COMMENTS, "body": [comment]},
        {"path": "repos/team/bees/commits/[0-9a-f]{40}/check-runs", "body": checks},
    )


def test_an_older_run_that_ends_later_changes_neither_comment_nor_check(trained: Hive) -> None:
    trained.collect()
    remember(trained)
    sent = len(trained.github.sent())
    said = trained.collect(bundle=trained.folder / "nothing", **earlier(trained))

    assert "pull request 7: a newer run has answered: the comment stays as it is" in said
    assert "check: a newer run has been judged: the check stays as it is" in said
    assert len(trained.github.sent()) == sent
    assert len(trained.ledger.runs()) == 3


def test_a_newer_run_changes_the_comment_and_the_check_of_an_older_one(trained: Hive) -> None:
    trained.collect(bundle=trained.folder / "nothing", **earlier(trained))
    remember(trained)
    sent = len(trained.github.sent())
    trained.collect()
    changed = [(call["method"], call["path"]) for call in trained.github.sent()[sent:]]

    assert changed == [
        ("PATCH", "repos/team/bees/issues/comments/5"),
        ("PATCH", "repos/team/bees/check-runs/2"),
    ]


def test_a_pull_request_that_moved_on_while_the_model_was_scored_is_not_answered(trained: Hive) -> None:
    moved = {"sha": "1" * 40, "ref": "faster", "repo": {"full_name": "team/bees"}}
    before = {"number": 7, "state": "open", "head": moved | {"sha": trained.head}}
    pulls = "repos/team/bees/commits/[0-9a-f]{40}/pulls"
    trained.answers(
        {"path": pulls, "body": [before], "once": True},
        {"path": pulls, "body": [{"number": 7, "state": "open", "head": moved}]},
    )
    said = trained.collect()

    assert f"no pull request has {trained.head[:8]} as its newest commit" in said
    assert [call["path"] for call in trained.github.sent()] == ["repos/team/bees/check-runs"]
    assert trained.check()["head_sha"] == trained.head


def test_a_run_with_other_parameters_than_its_commit_is_kept_and_judges_nothing(hive: Hive) -> None:
    """As `runhive submit -S train.lr=0.7` sends it from the branch of the pull request."""
    shop = hive.box
    shop.started["params"] = {"train": {"lr": 0.7}}
    shop.train(2, GOOD)
    git(shop.root, "reset", "--quiet", "HEAD^")
    hive.pack()
    hive.answers()
    said = hive.collect(event="workflow_dispatch")

    assert "an experiment with train.lr" in said and "answers no pull request" in said
    assert hive.ledger.run(RUN).metrics["val.accuracy"] == 1.0
    assert hive.github.sent() == []


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ("export.opset=18", "export.opset"),
        ("data.split={val: 0.2, test: 0.1}", "data.split, data.split.test, data.split.val"),
        ("data.evaluation_sets={x: val}", "data.evaluation_sets, data.evaluation_sets.x"),
    ],
)
def test_a_model_that_was_made_with_other_parameters_judges_nothing(trained: Hive, change: str, named: str) -> None:
    """What is made of a restored training: the run says how it was trained, the file how the model was made."""
    params = trained.folder / "box/params.yaml"
    params.write_text(with_changes(params.read_text(), [change]))
    trained.pack()
    said = trained.collect(event="workflow_dispatch")

    assert f"an experiment with {named}, so" in said
    assert trained.github.sent() == []


def test_how_many_machines_a_run_had_makes_no_experiment_of_it(trained: Hive) -> None:
    changes = ["train.distributed.nodes=2", "train.distributed.launcher=torchrun", "compute.targets.gpu.max_nodes=2"]
    params = trained.folder / "box/params.yaml"
    params.write_text(with_changes(params.read_text(), changes))
    change(trained.bundle, RUN, "started", lambda data: data["params"]["train"].update(distributed={"nodes": 2}))
    shutil.copy(params, trained.bundle / "params.yaml")
    relist(trained.bundle)
    trained.collect(event="workflow_dispatch")

    assert trained.check()["conclusion"] == "failure"
    assert "Worse than the base" in trained.comment()


@pytest.mark.parametrize(
    ("key", "there", "own", "others"),
    [
        ("split", "null", {"val": 0.2}, ["data.split.val"]),
        ("split", "{val: 0.2}", None, ["data.split"]),
        ("evaluation_sets", "{}", {"x": None}, ["data.evaluation_sets.x"]),
        ("evaluation_sets", "{x: null}", {}, ["data.evaluation_sets"]),
        ("split", "{val: 0.2}", {"val": 0.2, "test": 0.0}, []),
    ],
)
def test_a_group_in_the_place_of_nothing_is_another_parameter(
    hive: Hive, key: str, there: str, own: object, others: list[str]
) -> None:
    box = hive.folder / "box"
    (box / "params.yaml").write_text(f"data: {{{key}: {there}}}")
    git(box, "commit", "--quiet", "--all", "--message", "groups")
    run = replace(hive.ledger.run(BASE_RUN), params={"data": {key: own}}, code={"commit": hive.head})

    assert other_parameters(box, run, hive.head) == others


def test_a_dispatch_of_which_no_parameters_are_known_judges_nothing(trained: Hive) -> None:
    """It may have been sent with others: what it died of, or is refused for, is no word on the commit."""
    said = trained.collect(bundle=trained.folder / "nothing", conclusion="cancelled", event="workflow_dispatch")
    assert "it was dispatched and left no parameters" in said

    change(trained.bundle, RUN, "evaluated", lambda data: data["metrics"].update({"val.accuracy": 1.0}))
    assert "its model gives 0.8333" in trained.collect(code=1, event="workflow_dispatch")
    assert trained.github.sent() == []


@pytest.mark.parametrize(("lr", "answered"), [(BRANCH_LR, True), (0.7, False)])
def test_a_dispatch_that_goes_on_with_a_run_answers_as_that_run(hive: Hive, lr: float, answered: bool) -> None:
    code = {"commit": hive.head, "dirty": False}
    started = {"experiment": "colours", "launcher": {"url": URL}, "code": code, "params": {"train": {"lr": lr}}}
    hive.box.ledger.append(RUN, [Event("started", started)])
    hive.pack("--outcome", "cancelled")
    hive.answers()
    hive.collect(conclusion="cancelled")
    sent = len(hive.github.sent())
    again = {"html_url": f"{URL}9", "id": WORKFLOW * 10 + 9, "display_title": f"train  resume {RUN}"}
    hive.collect(bundle=hive.folder / "nothing", conclusion="timed_out", event="workflow_dispatch", **again)

    assert (len(hive.github.sent()) > sent) is answered


def test_a_branch_that_changes_nothing_is_answered_with_the_base_branchs_own_model(hive: Hive) -> None:
    """DVC restores main's model, whose run is the hub's."""
    box = hive.folder / "box"
    (box / "params.yaml").write_text(with_changes((box / "params.yaml").read_text(), ["train.lr=1", "export.opset=18"]))
    git(box, "commit", "--quiet", "--all", "--message", "as main trains")
    hive.call(box, "runs", "pull")
    for folder in ("models", "data"):
        shutil.rmtree(box / folder, ignore_errors=True)
        shutil.copytree(hive.base / folder, box / folder)
    shutil.copy(hive.base / "dvc.lock", box / "dvc.lock")
    hive.pack()
    hive.answers()
    before = hive.hub_tip()
    hive.collect()
    text = hive.comment()

    assert text.splitlines()[1].startswith("### The base branch's own model")
    assert "nothing was trained" in text
    assert hive.hub_tip() == before


def test_what_the_job_says_of_its_comparison_is_replaced_by_what_was_computed(trained: Hive) -> None:
    forged = {"baseline": BASE_RUN, "reason": "mine", "comparable": True, "won": 30, "lost": 0, "p": 0.0}
    put(trained.bundle, RUN, Event("compared", forged, order=50))
    trained.collect()

    assert trained.ledger.run(RUN).comparison["won"] == 0
    assert trained.ledger.run(RUN).comparison["lost"] == 5


def test_numbers_on_other_images_stay_a_claim_that_is_said_and_never_ranked(trained: Hive) -> None:
    """The job scored itself on images of its own choice, where it is always right."""

    def elsewhere(data: dict[str, dict[str, object]]) -> None:
        data["metrics"].update({"val.accuracy": 1.0, "val.kindness": 1.0})
        data["evaluation"]["evaluation_set"] = {"name": "val", "digest": "e" * 64, "images": 30}

    change(trained.bundle, RUN, "evaluated", elsewhere)
    trained.collect()
    run, base = trained.ledger.run(RUN), trained.ledger.run(BASE_RUN)
    score, of_base = score_of(run), score_of(base)
    rows = {row["run_id"]: row for row in trained.ledger.rows()}
    first = home([summarize(run), summarize(base)], trained.ledger)

    assert run.is_claim and not base.is_claim
    assert score and score.is_claim and score.comparable_on is None
    assert rows[RUN]["evaluation_digest"] == f"claim of {RUN}"
    assert of_base and first.experiments[0].best and first.experiments[0].best.run_id == BASE_RUN
    assert "a claim" in render("verdict.html", summary=summarize(run), picture=None, page_of_runs="")
    assert "a claim" not in render("verdict.html", summary=summarize(base), picture=None, page_of_runs="")
    assert "a claim: other images" in trained.call(trained.base, "runs", "show", RUN)
    assert run.comparison["comparable"] is False
    assert compare_runs(trained.ledger, base, run).comparable is False
    assert "`val.accuracy` is **83.3" in trained.comment()
    assert "`val.kindness` \\*" in trained.comment()
    assert "other images than those of `gate.evaluation_sets`" in trained.comment()


def test_numbers_under_another_name_than_their_images_have_are_a_claim(trained: Hive) -> None:
    """The images are the collector's own, and the number is of another set than the run says: nothing is compared."""

    def renamed(data: dict[str, dict[str, Any]]) -> None:
        data["metrics"]["val.accuracy"] = 1.0
        data["evaluation"]["evaluation_set"]["name"] = "zzz"

    change(trained.bundle, RUN, "evaluated", renamed)
    trained.collect()
    run = trained.ledger.run(RUN)
    score = score_of(run)

    assert run.is_claim and run.collected["checked"] == []
    assert score and score.is_claim and score.comparable_on is None


def test_another_attempt_with_another_model_gets_a_verdict_of_its_own(hive: Hive) -> None:
    hive.train(GOOD)
    hive.answers()
    hive.collect()
    assert hive.check()["conclusion"] == "success"

    hive.call(hive.folder / "box", "runs", "pull")
    hive.train(worse(0.5))
    hive.collect(run_attempt=2, run_started_at="2026-11-23T15:00:00Z")

    assert hive.ledger.run(RUN).metrics["val.accuracy"] == pytest.approx(25 / 30)
    assert (hive.check()["conclusion"], hive.ledger.run(RUN).collected["verdict"]["admitted"]) == ("failure", False)


def test_a_run_whose_branch_was_deleted_is_kept_and_answers_nobody(trained: Hive) -> None:
    """Its pull request was merged while it trained; the collector's clone has no branch with the commit."""
    trained.answers({"path": "repos/team/bees/commits/[0-9a-f]{40}/pulls", "body": []})
    gone = trained.folder / "gone"
    git(trained.folder, "clone", "--quiet", "hub.git", str(gone))
    shutil.copytree(trained.base / "data", gone / "data")
    event = trained.folder / "event.json"
    event.write_text(json.dumps(trained.event()))
    said = trained.call(gone, "actions", "collect", str(trained.bundle), "--event", str(event))

    assert f"run {RUN} (completed) is in the ledger" in said
    assert "its commit is on no branch: nothing is judged" in said
    assert trained.github.sent() == []


def test_a_clone_without_the_pull_requests_commit_is_said_to_be_too_shallow(trained: Hive) -> None:
    shallow = trained.folder / "shallow"
    git(trained.folder, "clone", "--quiet", "--depth=1", f"file://{trained.hub}", str(shallow))
    event = trained.folder / "event.json"
    event.write_text(json.dumps(trained.event()))
    before = trained.hub_tip()
    said = trained.call(shallow, "actions", "collect", str(trained.bundle), "--event", str(event), code=1)

    assert "check out with fetch-depth 0" in said
    assert trained.hub_tip() == before and trained.github.sent() == []


@pytest.mark.parametrize(
    "text",
    [
        "train: {lr: 2001-99-99}",
        "a: &a [*a]",
        "b: &b {b: *b}",
        "{{{",
        "\x00",
        "a: !!bool x",
        "a: !!int ''",
        "a: !!timestamp x",
        f"n: {'9' * 5_000}",
        "",
    ],
)
def test_whatever_stands_in_the_commits_parameters_crashes_nothing(hive: Hive, text: str) -> None:
    box = hive.folder / "box"
    (box / "params.yaml").write_text(text)
    git(box, "commit", "--quiet", "--all", "--message", "odd")
    run = replace(hive.ledger.run(BASE_RUN), params={"train": {"lr": 1}}, code={"commit": hive.head})

    assert other_parameters(box, run, hive.head) == []


def test_a_preset_is_what_a_run_of_it_records(hive: Hive) -> None:
    """Numbers and texts that the file has otherwise than they are kept would make an experiment of every run."""
    box = hive.folder / "box"
    for text in presets().values():
        (box / "params.yaml").write_text(text)
        git(box, "commit", "--quiet", "--all", "--allow-empty", "--message", "a preset")
        params = parse_params(text, "params.yaml").model_dump(mode="json", exclude={"compute"})
        run = replace(hive.ledger.run(BASE_RUN), params=params, code={"commit": hive.head})

        assert other_parameters(box, run, hive.head) == []


def test_a_further_run_in_a_bundle_is_a_claim_since_only_one_model_is_scored(hive: Hive) -> None:
    hive.train(worse(0.5), 2)
    hive.train(GOOD, 3)
    hive.answers()
    hive.collect()
    last = RUN.replace("142202", "142203")

    assert hive.ledger.run(RUN).is_claim and not hive.ledger.run(last).is_claim
    assert f"Run `{last}`" in hive.comment()
