"""GitHub's API, by the program `gh`: it brings the token, the host and the proxies, on a laptop and on a runner."""

import json
import os
import re
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import pygit2

from runhive.errors import RunhiveError
from runhive.mistakes import one_line

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9_.-]+")
URL = re.compile(r"(?:\w+://)?(?:[^/@]+@)?[^/:]+(?::[0-9]+/|[:/])(?P<name>[^/]+/[^/]+?)(?:\.git)?/?")
STATUS = re.compile(r"\(HTTP ([0-9]{3})\)")
PAGE = 100  # the most that GitHub gives at once
PAGES = 100
TRIES = 4  # of a question that the host or the network left unanswered
NOT_LOGGED_IN = 4  # gh's exit code, see `gh help exit-codes`
TOLD = 300  # characters of what gh says


class GitHubError(RunhiveError):
    """GitHub refused; `status` is the HTTP status, None where no answer came."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class GitHub:
    """The API for one repository, `owner/name`. A path that begins with `/` is outside of it: `/orgs/o/...`."""

    repository: str

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.repository):
            raise RunhiveError(f"{one_line(repr(self.repository))} is no GitHub repository: write owner/name")

    def get(self, path: str, **query: str | int) -> Any:
        """Return what GitHub answers, parsed. Raises GitHubError."""
        return _parsed(self.read(path, **query))

    def find(self, path: str, **query: str | int) -> Any:
        """As `get`, but None where there is no such thing (404). Raises GitHubError otherwise."""
        try:
            return self.get(path, **query)
        except GitHubError as error:
            if error.status == 404:
                return None
            raise

    def pages(self, path: str, key: str | None = None, **query: str | int) -> list[Any]:
        """Return all items of a list; *key* names it where the answer is an object, such as `jobs` or `runners`."""
        found: list[Any] = []
        for page in range(1, PAGES + 1):
            answer = self.get(path, **query, per_page=PAGE, page=page)
            items = answer.get(key) if key is not None and isinstance(answer, dict) else answer
            if not isinstance(items, list):
                raise GitHubError(
                    f"GitHub's answer to {self._path(path)} holds no list: see `gh api {self._path(path)}`"
                )
            found += items
            if len(items) < PAGE:
                return found
        raise GitHubError(f"{self._path(path)} has more than {PAGE * PAGES} items: ask for fewer")

    def read(self, path: str, **query: str | int) -> bytes:
        """Return the bytes that GitHub answers, such as those of a log or an artifact. Raises GitHubError."""
        asked = self._path(path) + (f"?{urlencode(query)}" if query else "")
        for attempt in range(1, TRIES):
            try:
                return _call("GET", asked)
            except GitHubError as error:
                if error.status is not None and error.status < 500:
                    raise
            time.sleep(2 ** (attempt - 1))
        return _call("GET", asked)

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """Make something; return what GitHub answers, None where it answers nothing. Raises GitHubError."""
        return self._send("POST", path, body)

    def patch(self, path: str, body: Mapping[str, Any]) -> Any:
        """Change something; return what GitHub answers. Raises GitHubError."""
        return self._send("PATCH", path, body)

    def _send(self, method: str, path: str, body: Mapping[str, Any]) -> Any:
        return _parsed(_call(method, self._path(path), json.dumps(body, allow_nan=False).encode()))

    def _path(self, path: str) -> str:
        return path.removeprefix("/") if path.startswith("/") else f"repos/{self.repository}/{path}".rstrip("/")


def find_repository(repository: pygit2.Repository) -> str:
    """Return the `owner/name` that GITHUB_REPOSITORY says, as on a runner, or else the URL of the remote `origin`.

    Raises RunhiveError where neither does.
    """
    if named := os.environ.get("GITHUB_REPOSITORY"):
        return named
    url = next((remote.url or "" for remote in repository.remotes if remote.name == "origin"), "")
    match = URL.fullmatch(url)
    if match is None or not NAME.fullmatch(match["name"]):
        raise RunhiveError("the remote origin is no GitHub repository: set GITHUB_REPOSITORY to owner/name")
    return match["name"]


def _call(method: str, path: str, given: bytes = b"") -> bytes:
    words = ["gh", "api", "--method", method, path, *(["--input", "-"] if given else [])]
    surroundings = os.environ | {"GH_PROMPT_DISABLED": "1", "GH_NO_UPDATE_NOTIFIER": "1", "NO_COLOR": "1"}
    try:
        done = subprocess.run(words, input=given, capture_output=True, env=surroundings)
    except FileNotFoundError as error:
        raise RunhiveError("gh is not installed: see https://cli.github.com, then run `gh auth login`") from error
    if done.returncode == 0:
        return done.stdout
    if done.returncode == NOT_LOGGED_IN:
        raise GitHubError("gh is not logged in: run `gh auth login`, or set GH_TOKEN", 401)
    said = done.stderr.decode(errors="replace").strip()
    status = STATUS.search(said)
    raise GitHubError(_refusal(path, said, int(status[1]) if status else None), int(status[1]) if status else None)


def _refusal(path: str, said: str, status: int | None) -> str:
    told = one_line((said.splitlines() or ["nothing"])[0].removeprefix("gh: "))[:TOLD]
    match status:
        case 401:
            advice = "run `gh auth login`, or set GH_TOKEN"
        case 403 | 429:
            advice = "give the token the permission that this needs, or wait if GitHub's limit of requests is reached"
        case 404:
            advice = "check the name, and that the token may read the repository"
        case _:
            advice = "try again; `gh auth status` tells whether gh is logged in"
    return f"GitHub refused {one_line(path)}: {told}: {advice}"


def _parsed(answer: bytes) -> Any:
    if not answer.strip():
        return None
    try:
        return json.loads(answer)
    except ValueError as error:
        raise GitHubError("gh answers no JSON: upgrade gh") from error
