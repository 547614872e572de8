"""Events as GitHub writes them, with the fields that our workflows and commands read."""

from typing import Any

from act import REPOSITORY, Ran


def pull_request(
    head: str, base: str, *, action: str, labels: tuple[str, ...] = (), label: str | None = None,
    repository: str | None = REPOSITORY, branch: str = "change", title: str = "A change",
) -> dict[str, Any]:  # fmt: skip
    """A pull request from *repository*, a fork where it is another one, None where the fork was deleted."""
    return {
        "action": action,
        "number": 7,
        "sender": {"login": "author"},
        "pull_request": {
            "number": 7,
            "title": title,
            "state": "open",
            "labels": [{"name": name} for name in labels],
            "head": {"ref": branch, "sha": head, "repo": {"full_name": repository} if repository else None},
            "base": {"ref": "main", "sha": base, "repo": {"full_name": REPOSITORY}},
        },
        **({"label": {"name": label}} if label else {}),
    }


def dispatch(**inputs: str) -> dict[str, Any]:
    """A `workflow_dispatch` with some inputs; the others are empty."""
    return {"inputs": {name: inputs.get(name, "") for name in ("compute", "nodes", "set", "submission", "resume")}}


def workflow_run(
    name: str, ran: Ran, head: str, conclusion: str, *, branch: str = "change", event: str = "pull_request",
    repository: str | None = REPOSITORY,
) -> dict[str, Any]:  # fmt: skip
    """The end of a run of the workflow *name*."""
    return {
        "action": "completed",
        "workflow": {"name": name, "path": f".github/workflows/{name}.yml"},
        "workflow_run": {
            "id": ran.number,
            "name": name,
            "path": f".github/workflows/{name}.yml",
            "workflow_id": 11,
            "run_number": ran.number,
            "run_attempt": 1,
            "event": event,
            "status": "completed",
            "conclusion": conclusion,
            "head_branch": branch,
            "head_sha": head,
            "display_title": "A change",
            "created_at": ran.began,
            "run_started_at": ran.began,
            "updated_at": ran.ended,
            "html_url": f"https://github.com/{REPOSITORY}/actions/runs/{ran.number}",
            "actor": {"login": "author"},
            "triggering_actor": {"login": "author"},
            "pull_requests": [{"number": 7}] if event == "pull_request" else [],
            "head_repository": {"full_name": repository, "id": 1} if repository else None,
            "repository": {"full_name": REPOSITORY, "id": 1},
        },
    }


def push(commit: str, branch: str = "main") -> dict[str, Any]:
    return {"ref": f"refs/heads/{branch}", "after": commit, "head_commit": {"id": commit}}


def jobs_of(ran: Ran, conclusion: str, ranks: tuple[int, ...] = (0,)) -> dict[str, Any]:
    """What GitHub's API says of the jobs of a train."""
    times = {"created_at": ran.began, "started_at": ran.began, "completed_at": ran.ended}
    plan = {"id": 99, "name": "plan", "runner_name": "hosted", "conclusion": "success", **times}
    nodes = [
        {"id": 100 + rank, "name": f"train / node {rank}", "runner_name": "box", "conclusion": conclusion, **times}
        for rank in ranks
    ]
    return {"jobs": [plan, *nodes]}
