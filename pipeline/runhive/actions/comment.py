"""The one comment of a pull request and the one check of its commit: made once, then changed in place.

Workflow runs end in any order, so both keep when theirs was asked for, and an older one changes nothing.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from runhive.actions.github import GitHub
from runhive.actions.workflow import WorkflowRun

MARKER = "<!-- runhive: the answer -->"
AUTHOR = "github-actions[bot]"
MOST = 65_536  # characters, GitHub's limit
CUT = "\n\nThe rest does not fit into a comment: see the run's page.\n"
CHECK = "Runhive gate"
TURN = re.compile(r"asked (\d{4}-\d\d-\d\dT[\d:.]{8,15}\+00:00) by (\d{1,18})\.(\d{1,9})")
FENCE = re.compile(r"^```", re.MULTILINE)


@dataclass(frozen=True)
class Check:
    """`conclusion` is GitHub's word: success, failure or action_required, all but the first of which block a merge."""

    conclusion: str
    title: str
    summary: str


def find_pull_request(github: GitHub, workflow: WorkflowRun) -> int | None:
    """The open pull request of the branch whose head is the commit that was trained, as GitHub knows it now."""
    trained = (workflow.head_sha, workflow.head_branch, github.repository)
    for pull in github.pages(f"commits/{workflow.head_sha}/pulls"):
        head = pull.get("head") or {}
        same = (head.get("sha"), head.get("ref"), (head.get("repo") or {}).get("full_name")) == trained
        if pull.get("state") == "open" and same and type(pull.get("number")) is int:
            return int(pull["number"])
    return None


def post(github: GitHub, pull_request: int, workflow: WorkflowRun, text: str, author: str = AUTHOR) -> str:
    """Put *text* into the comment that *author* made before, or a new one. Says what was done."""
    head = f"{MARKER}<!-- {_told(workflow)} -->\n"
    body = head + shortened(text, MOST - len(head))
    for comment in github.pages(f"issues/{pull_request}/comments"):
        mine = (comment.get("user") or {}).get("login") == author
        if mine and str(comment.get("body", "")).startswith(MARKER):
            if comment["body"].strip() == body.strip():
                return "the comment stays as it is"
            if _is_newer(comment["body"].partition("\n")[0], workflow):
                return "a newer run has answered: the comment stays as it is"
            github.patch(f"issues/comments/{int(comment['id'])}", {"body": body})
            return "the comment was updated"
    github.post(f"issues/{pull_request}/comments", {"body": body})
    return "commented"


def report_check(github: GitHub, workflow: WorkflowRun, check: Check) -> str:
    """Add the check to the commit that was trained, or change the one that is there. Says what was done."""
    told: dict[str, Any] = {
        "status": "completed", "conclusion": check.conclusion, "details_url": workflow.html_url,
        "external_id": _told(workflow),
        "output": {"title": check.title[:200], "summary": shortened(check.summary, MOST - 1)},
    }  # fmt: skip
    listed = github.pages(f"commits/{workflow.head_sha}/check-runs", "check_runs", check_name=CHECK)
    mine = next((one for one in listed if TURN.fullmatch(str(one.get("external_id")))), None)
    if mine is None:
        github.post("check-runs", {"name": CHECK, "head_sha": workflow.head_sha} | told)
    elif _is_newer(str(mine["external_id"]), workflow):
        return "a newer run has been judged: the check stays as it is"
    elif any(mine.get(key) != told[key] for key in ("conclusion", "external_id")) or _summary(mine) != _summary(told):
        github.patch(f"check-runs/{int(mine['id'])}", told)
    return f"{check.conclusion}: {check.title}"


def _summary(check: dict[str, Any]) -> object:
    return (check.get("output") or {}).get("summary")


def _told(workflow: WorkflowRun) -> str:
    """When the workflow run was asked for, as TURN reads it."""
    began, number, attempt = workflow.turn
    return f"asked {began.astimezone(UTC).isoformat()} by {number}.{attempt}"


def _is_newer(text: str, workflow: WorkflowRun) -> bool:
    """Whether *text* is of a workflow run that was asked for after this one."""
    match = TURN.search(text)
    try:
        return match is not None and (datetime.fromisoformat(match[1]), int(match[2]), int(match[3])) > workflow.turn
    except ValueError:  # digits that are no time
        return False


def shortened(text: str, most: int) -> str:
    """*text* cut at a line's end where it is too long, with what was open closed."""
    if len(text) <= most:
        return text
    kept = text[: most - len(CUT) - 20].rpartition("\n")[0]
    closing = "\n```" if len(FENCE.findall(kept)) % 2 else ""
    if kept.count("<details>") > kept.count("</details>"):
        closing += "\n\n</details>"
    return kept + closing + CUT
