"""The one comment of a pull request and the check of its commit: made once, then changed in place."""

import re
from dataclasses import dataclass
from typing import Any

from runhive.actions.github import GitHub
from runhive.actions.workflow import WorkflowRun

MARKER = "<!-- runhive: the answer -->"
AUTHOR = "github-actions[bot]"
MOST = 65_536  # characters, GitHub's limit
CUT = "\n\nThe rest does not fit into a comment: see the run's page.\n"
CHECK = "Runhive gate"
FENCE = re.compile(r"^```", re.MULTILINE)


@dataclass(frozen=True)
class Check:
    """`conclusion` is success, failure or neutral."""

    conclusion: str
    title: str
    summary: str


def find_pull_request(github: GitHub, workflow: WorkflowRun) -> int | None:
    """The open pull request whose head is the commit that was trained, as GitHub knows it; None where there is none."""
    for pull in github.pages(f"commits/{workflow.head_sha}/pulls"):
        head = pull.get("head") or {}
        same = head.get("sha") == workflow.head_sha and (head.get("repo") or {}).get("full_name") == github.repository
        if pull.get("state") == "open" and same and type(pull.get("number")) is int:
            return int(pull["number"])
    return None


def post(github: GitHub, pull_request: int, text: str, author: str = AUTHOR) -> str:
    """Put *text* into the comment that *author* made before, or a new one. Says what was done."""
    body = f"{MARKER}\n{shortened(text, MOST - len(MARKER) - 1)}"
    for comment in github.pages(f"issues/{pull_request}/comments"):
        mine = (comment.get("user") or {}).get("login") == author
        if mine and str(comment.get("body", "")).startswith(MARKER):
            if comment["body"].strip() == body.strip():
                return "the comment stays as it is"
            github.patch(f"issues/comments/{int(comment['id'])}", {"body": body})
            return "the comment was updated"
    github.post(f"issues/{pull_request}/comments", {"body": body})
    return "commented"


def report_check(github: GitHub, workflow: WorkflowRun, check: Check) -> None:
    """Add the check to the commit, or change the one that is there."""
    told: dict[str, Any] = {
        "status": "completed", "conclusion": check.conclusion, "details_url": workflow.html_url,
        "output": {"title": check.title[:200], "summary": shortened(check.summary, MOST - 1)},
    }  # fmt: skip
    listed = github.pages(f"commits/{workflow.head_sha}/check-runs", "check_runs", check_name=CHECK)
    mine = next((one for one in listed if str(one.get("external_id")) == str(workflow.id)), None)
    if mine is None:
        named = {"name": CHECK, "head_sha": workflow.head_sha, "external_id": str(workflow.id)}
        github.post("check-runs", named | told)
    elif (mine.get("conclusion"), (mine.get("output") or {}).get("summary")) != (
        check.conclusion,
        told["output"]["summary"],
    ):
        github.patch(f"check-runs/{int(mine['id'])}", told)


def shortened(text: str, most: int) -> str:
    """*text* cut at a line's end where it is too long, with what was open closed."""
    if len(text) <= most:
        return text
    kept = text[: most - len(CUT) - 20].rpartition("\n")[0]
    closing = "\n```" if len(FENCE.findall(kept)) % 2 else ""
    if kept.count("<details>") > kept.count("</details>"):
        closing += "\n\n</details>"
    return kept + closing + CUT
