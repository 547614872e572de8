"""Which train goes on after it was cut off, which does not, and how often."""

import json
from pathlib import Path
from typing import Any

import pytest
from hub import FakeGitHub

from runhive.actions.checkpoints import ARTIFACT, find_checkpoint
from runhive.actions.github import GitHub
from runhive.actions.resume import MOST, keep_asked, resume
from runhive.errors import RunhiveError

RUN = "20261125-101112-abcdef"
SHA = "1" * 40
ASKED = {"compute": "gpu", "nodes": "2", "set": "train.lr=0.1", "submission": "s1"}
HUB = GitHub("hive/bees")


def ended(conclusion: str = "cancelled", repository: str = "hive/bees") -> dict[str, Any]:
    run = {
        "id": 5, "workflow_id": 11, "conclusion": conclusion, "head_sha": SHA, "head_branch": "change",
        "head_repository": {"full_name": repository},
    }  # fmt: skip
    return {"repository": {"full_name": "hive/bees"}, "workflow_run": run}


def told(
    github: FakeGitHub, *, artifact: str = ARTIFACT + RUN, expired: bool = False, tip: str = SHA, before: int = 0,
    note: str = "The runner has received a shutdown signal.",
) -> None:  # fmt: skip
    titles = [{"display_title": f"train s1 resume {RUN}"}] * before + [{"display_title": "train s1 "}]
    github.answers(
        {"path": ".*/actions/runs/5/artifacts", "body": {"artifacts": [{"name": artifact, "expired": expired}]}},
        {"path": ".*/actions/runs/5/jobs", "body": {"jobs": [{"id": 8, "conclusion": "cancelled"}]}},
        {"path": ".*/check-runs/8/annotations", "body": [{"message": note}]},
        {"path": ".*/git/ref/heads/change", "body": {"object": {"sha": tip}}},
        {"path": ".*/actions/workflows/11/runs", "body": {"workflow_runs": titles}},
        {"method": "POST", "path": ".*/actions/workflows/11/dispatches", "text": ""},
    )


@pytest.fixture
def asked(tmp_path: Path) -> Path:
    path = tmp_path / "asked.json"
    keep_asked(path, ASKED)
    return path


@pytest.mark.parametrize("conclusion", ["cancelled", "timed_out", "failure"])
def test_a_train_that_was_cut_off_is_dispatched_again_with_what_was_asked(
    conclusion: str, github: FakeGitHub, asked: Path
) -> None:
    told(github)

    assert "is resumed, for the 1. time" in resume(HUB, ended(conclusion), asked)
    (sent,) = github.sent()
    assert sent["body"] == {"ref": "change", "inputs": {**ASKED, "resume": RUN}}


@pytest.mark.parametrize(
    ("changed", "event", "why"),
    [
        ({}, ended(repository="stranger/bees"), "a fork"),
        ({}, ended("success"), "ended with success"),
        ({"artifact": "runhive-run"}, ended(), "no checkpoint"),
        ({"artifact": f"{ARTIFACT}../../x"}, ended(), "no checkpoint"),
        ({"expired": True}, ended(), "no checkpoint"),
        ({"note": "The run was canceled by @author."}, ended(), "a person canceled it"),
        ({"tip": "3" * 40}, ended(), "its branch has moved on"),
        ({"before": MOST}, ended(), "it was, 5 times"),
    ],
)
def test_what_would_not_help_is_not_dispatched_and_the_reason_is_said(
    changed: dict[str, Any], event: dict[str, Any], why: str, github: FakeGitHub, asked: Path
) -> None:
    told(github, **changed)

    assert why in resume(HUB, event, asked)
    assert github.sent() == []


def test_the_fifth_time_is_the_last(github: FakeGitHub, asked: Path) -> None:
    told(github, before=MOST - 1)

    assert "for the 5. time of at most 5" in resume(HUB, ended(), asked)


@pytest.mark.parametrize("content", ["{", "[]", '{"compute": 1, "nodes": "", "set": "", "submission": ""}'])
def test_a_forged_record_of_what_was_asked_is_refused(content: str, github: FakeGitHub, asked: Path) -> None:
    told(github)
    asked.write_text(content)

    with pytest.raises(RunhiveError, match=r"asked\.json"):
        resume(HUB, ended(), asked)
    assert github.sent() == []


def artifact(number: int, sha: str = SHA, origin: int = 1, expired: bool = False) -> dict[str, Any]:
    return {
        "name": ARTIFACT + RUN, "expired": expired, "created_at": f"2026-11-25T10:0{number}:00Z",
        "workflow_run": {"id": number, "head_sha": sha, "head_repository_id": origin, "repository_id": 1},
    }  # fmt: skip


def test_the_newest_checkpoint_of_this_commit_and_this_repository_is_taken(github: FakeGitHub) -> None:
    """A fork can upload an artifact of that name from its own jobs, and so can another branch."""
    listed = [
        artifact(1), artifact(2), artifact(3, sha="2" * 40), artifact(4, origin=9), artifact(5, expired=True),
    ]  # fmt: skip
    github.answers({"path": ".*/actions/artifacts", "body": {"artifacts": listed}})

    assert find_checkpoint(HUB, RUN, SHA) == 2
    assert f"name={ARTIFACT}{RUN}" in github.calls()[0]["query"]


def test_no_checkpoint_is_said_before_a_runner_is_asked_for(github: FakeGitHub) -> None:
    github.answers({"path": ".*/actions/artifacts", "body": {"artifacts": [artifact(3, sha="2" * 40)]}})

    with pytest.raises(RunhiveError, match="no checkpoint of commit 11111111"):
        find_checkpoint(HUB, RUN, SHA)
    with pytest.raises(RunhiveError, match="is no run"):
        find_checkpoint(HUB, "x", SHA)


def test_what_is_kept_is_what_is_dispatched(asked: Path) -> None:
    assert json.loads(asked.read_text()) == ASKED
