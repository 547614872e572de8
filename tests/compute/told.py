"""What GitHub tells of workflows, runners, workflow runs and jobs, in the shape of its API."""

from typing import Any

WORKFLOW = {"path": "repos/o/r/actions/workflows/train.yml", "body": {"id": 1, "state": "active"}}
NUMBER = 15_400_004_711
URL = f"https://github.com/o/r/actions/runs/{NUMBER}"
BEGAN = "2026-11-25T12:00:00Z"


MEETING = {"path": "repos/o/r/actions/variables/RUNHIVE_RENDEZVOUS", "body": {"name": "x", "value": "10.0.0.1:29400"}}


def runner(name: str, labels: str = "self-hosted gpu", online: bool = True, busy: bool = False) -> dict[str, Any]:
    status = "online" if online else "offline"
    return {"id": 1, "name": name, "status": status, "busy": busy, "labels": [{"name": one} for one in labels.split()]}


def runners(*some: dict[str, Any]) -> dict[str, Any]:
    return {"path": "repos/o/r/actions/runners", "body": {"total_count": len(some), "runners": list(some)}}


def workflow_run(status: str = "completed", conclusion: str | None = "success", title: str = "") -> dict[str, Any]:
    return {
        "id": NUMBER, "run_attempt": 1, "html_url": URL, "display_title": title, "status": status,
        "conclusion": conclusion if status == "completed" else None, "created_at": BEGAN, "run_started_at": BEGAN,
        "updated_at": "2026-11-25T12:10:00Z",
    }  # fmt: skip


def step(name: str, began: str | None, ended: str | None = None, conclusion: str = "success") -> dict[str, Any]:
    status = "completed" if ended else "in_progress" if began else "queued"
    return {
        "name": name, "status": status, "conclusion": conclusion if ended else None,
        "started_at": began and f"2026-11-25T12:{began}Z", "completed_at": ended and f"2026-11-25T12:{ended}Z",
    }  # fmt: skip


def node(*steps: dict[str, Any], ended: str | None = None, conclusion: str = "success") -> dict[str, Any]:
    """The job of the first machine, which a runner took a minute after the start; it waits without steps."""
    status = "completed" if ended else "in_progress" if steps else "queued"
    return {
        "name": "train / node 0", "status": status, "conclusion": conclusion if ended else None,
        "runner_name": "box-1" if steps else None, "started_at": "2026-11-25T12:01:00Z" if steps else BEGAN,
        "completed_at": ended and f"2026-11-25T12:{ended}Z", "steps": list(steps),
    }  # fmt: skip


def looks(*some: tuple[dict[str, Any], list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """Answers to who asks for a workflow run, and then to one look after another at it; the last holds for ever."""
    answers = [{"path": f"repos/o/r/actions/runs/{NUMBER}", "body": some[0][0], "once": True}]
    for place, (run, jobs) in enumerate(some):
        once = {"once": True} if place < len(some) - 1 else {}
        answers.append({"path": f"repos/o/r/actions/runs/{NUMBER}", "body": run, **once})
        jobs_path = f"repos/o/r/actions/runs/{NUMBER}/attempts/1/jobs"
        answers.append({"path": jobs_path, "body": {"total_count": len(jobs), "jobs": jobs}, **once})
    return answers


def collector(conclusion: str = "success", number: int = NUMBER) -> dict[str, Any]:
    run = {
        "status": "completed",
        "conclusion": conclusion,
        "display_title": f"collect {number}",
        "html_url": "https://x",
    }
    return {"path": "repos/o/r/actions/workflows/collect.yml/runs", "body": {"workflow_runs": [run]}}
