"""The event that started a workflow, as GitHub wrote it: its shape is GitHub's, its texts are anybody's."""

import json
from pathlib import Path
from typing import Any

from runhive.errors import RunhiveError


def read_event(path: Path) -> dict[str, Any]:
    """Read the file that GITHUB_EVENT_PATH names. Raises RunhiveError where it holds no event."""
    try:
        event = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise RunhiveError(f"{path} holds no event of GitHub: give the file of GITHUB_EVENT_PATH") from error
    if not isinstance(event, dict) or not isinstance(event.get("repository"), dict):
        raise RunhiveError(f"{path} holds no event of a repository: give the file of GITHUB_EVENT_PATH")
    return event


def repository_of(event: dict[str, Any]) -> str:
    """Return `owner/name` of the repository in which the workflow runs."""
    return str(event["repository"].get("full_name", ""))
